/** The CommonJS build of a package, beside its modules: for `require` where none of ES modules is there, as in Jest. */
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { transformSync } from "esbuild";

/** Where it lies in a package. */
export const commonJsFolder = "cjs";

/** File by file, so that both builds have one shape and a stack trace of either leads to the source. */
export const addCommonJs = (folder: string): void => {
  const target = join(folder, commonJsFolder);
  for (const file of globSync("**/*.{js,d.ts}", { cwd: folder, exclude: [commonJsFolder, "main.*"] })) {
    const text = readFileSync(join(folder, file), "utf8");
    mkdirSync(dirname(join(target, file)), { recursive: true });
    writeFileSync(join(target, file), file.endsWith(".js") ? required(text) : typesOf(text));
  }
  writeFileSync(join(target, "package.json"), `${JSON.stringify({ type: "commonjs" })}\n`);
};

const required = (text: string): string =>
  transformSync(text, {
    format: "cjs",
    platform: "node",
    target: "node22",
    // Jest runs `import()` only behind a flag.
    supported: { "dynamic-import": false },
  }).code;

/** What comes as modules alone is named as such: types may be taken from there all the same. */
const typesOf = (text: string): string => text.replace(/(from "jose");/g, '$1 with { "resolution-mode": "import" };');
