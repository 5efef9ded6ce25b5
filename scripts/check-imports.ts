/** `npm run check:imports`: imports point down, packages are known by name, and what is imported is listed. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, posix, sep } from "node:path";
import { fault, type Manifest, readImports, type Target } from "./imports.ts";
import { root } from "./runtimes.ts";

const readManifest = (file: string): Manifest => {
  const { name, ...rest } = JSON.parse(readFileSync(join(root, file), "utf8"));
  const keys = (member: string): string[] => Object.keys(rest[member] ?? {});
  const dependencies = [...keys("dependencies"), ...keys("optionalDependencies"), ...keys("peerDependencies")];
  return { name, dependencies, devDependencies: keys("devDependencies") };
};

/** What the root lists for development is there for the tests of every package. */
const shared = readManifest("package.json").devDependencies;
const manifests = new Map(
  globSync(["packages/*/package.json", "bench/package.json"], { cwd: root }).map((file) => {
    const manifest = readManifest(file);
    const devDependencies = [...manifest.devDependencies, ...shared];
    return [dirname(file).split(sep).at(-1) ?? "", { ...manifest, devDependencies }];
  }),
);

/** A built-in module leads nowhere. */
const targetOf = (file: string, specifier: string): Target | undefined => {
  if (specifier.startsWith("node:")) return undefined;
  if (specifier.startsWith(".")) return { file: posix.join(posix.dirname(file), specifier) };
  const [scope = "", name] = specifier.split("/");
  return { package: scope.startsWith("@") ? `${scope}/${name}` : scope };
};

const files = globSync(["packages/*/src/**/*.ts", "packages/*/test/**/*.ts", "e2e/**/*.ts", "bench/**/*.ts"], {
  cwd: root,
})
  .map((file) => file.split(sep).join("/"))
  .sort();
let faults = 0;
for (const file of files) {
  for (const found of readImports(readFileSync(join(root, file), "utf8"))) {
    const target = targetOf(file, found.specifier);
    const reason = target === undefined ? undefined : fault(file, found, target, manifests);
    if (reason === undefined) continue;
    faults += 1;
    console.log(`${file}:${found.line}: imports "${found.specifier}": ${reason}`);
  }
}
console.log(`${files.length} files, ${faults} imports that point the wrong way`);
process.exitCode = faults === 0 ? 0 : 1;
