/** What threads run, as text: each `x.worker.ts` bundled into one script, which `x.script.ts` gives out in built packages. */
import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { root } from "./runtimes.ts";

/** By the path of the module that is replaced, from the root: the JavaScript in its place. */
export const scriptModules = (): Map<string, string> =>
  new Map(
    globSync("packages/*/src/**/*.worker.ts", { cwd: root })
      .sort()
      .map((worker) => {
        const module = worker.replace(/\.worker\.ts$/, ".script.ts");
        const [, name] = /export const (\w+) = \(\): Script =>/.exec(readFileSync(join(root, module), "utf8")) ?? [];
        if (name === undefined) throw new Error(`${module} does not give out ${worker}`);
        return [module, `export const ${name} = () =>\n  ${JSON.stringify(textOf(worker))};\n`];
      }),
  );

const textOf = (worker: string): string => {
  const bun = join(root, "node_modules/.bin/bun");
  const text = execFileSync(bun, ["build", "--target=node", "--format=cjs", "--minify", worker], {
    cwd: root,
    encoding: "utf8",
  });
  const foreign = [...text.matchAll(/\b(?:require|import)\("([^"]+)"\)/g)].find(([, name = ""]) => !isBuiltin(name));
  if (foreign !== undefined)
    throw new Error(`the text of ${worker} needs ${foreign[1]}, which is not there where it runs`);
  return text;
};
