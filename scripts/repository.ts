/** The sources and manifests of this repository, as the check of imports takes them. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import type { Manifest } from "./imports.ts";
import { root } from "./runtimes.ts";

export interface Repository {
  readonly sources: ReadonlyMap<string, string>;
  readonly manifests: ReadonlyMap<string, Manifest>;
}

export const readRepository = (): Repository => {
  const patterns = ["packages/*/src/**/*.ts", "packages/*/test/**/*.ts", "e2e/**/*.ts", "bench/**/*.ts"];
  const files = globSync(patterns, { cwd: root, exclude: ["**/node_modules"] }).map((file) =>
    file.split(sep).join("/"),
  );
  return {
    sources: new Map(files.sort().map((file) => [file, readFileSync(join(root, file), "utf8")])),
    manifests: readManifests(),
  };
};

/** By folder. What the root lists for development is there for the tests of every package. */
const readManifests = (): Map<string, Manifest> => {
  const shared = readManifest("package.json").devDependencies;
  return new Map(
    globSync(["packages/*/package.json", "bench/package.json"], { cwd: root }).map((file) => {
      const manifest = readManifest(file);
      const devDependencies = [...manifest.devDependencies, ...shared];
      return [dirname(file).split(sep).at(-1) ?? "", { ...manifest, devDependencies }];
    }),
  );
};

const readManifest = (file: string): Manifest => {
  const { name, ...rest } = JSON.parse(readFileSync(join(root, file), "utf8"));
  const keys = (member: string): string[] => Object.keys(rest[member] ?? {});
  const dependencies = [...keys("dependencies"), ...keys("optionalDependencies"), ...keys("peerDependencies")];
  return { name, dependencies, devDependencies: keys("devDependencies") };
};
