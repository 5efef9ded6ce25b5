/** Joins the chunks that a program always reads into one file. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { build, type Metafile, type Plugin } from "esbuild";
import { overChunks } from "./chunks.ts";
import { root } from "./runtimes.ts";

/**
 * Joins what is read with these sources, into a file beside the chunks. Those that others import stay as files that hand on what lies in it; what
 * is imported when it is used comes out of it at once. What the entries themselves begin with stays apart, and so does what is read `before`.
 * @param target folder of a build over chunks
 */
export const joinStart = async (
  target: string,
  { outputs }: Metafile,
  { before, sources }: { readonly before: readonly string[]; readonly sources: readonly string[] },
): Promise<void> => {
  const chunks = new Map(Object.entries(outputs).map(([path, output]) => [resolve(root, path), { path, ...output }]));
  const below = (starts: readonly string[]): Set<string> => {
    const found = new Set<string>();
    const add = (path: string): void => {
      if (found.has(path)) return;
      found.add(path);
      for (const { path: next, kind, external } of chunks.get(path)?.imports ?? [])
        if (kind === "import-statement" && external !== true) add(resolve(root, next));
    };
    starts.forEach(add);
    return found;
  };
  const from = (source: string): string[] =>
    [...chunks].flatMap(([path, { entryPoint }]) => (entryPoint === source ? path : []));
  const entries = [...chunks.keys()].filter((path) => dirname(path) === resolve(target));
  const apart = below([...entries, ...before.flatMap(from)]);
  const joined = [...below(sources.flatMap(from))].filter((path) => !apart.has(path));
  const start = join(target, "chunks/start.js");
  const names = joined.map((path, at) => ({ path, at, exports: chunks.get(path)?.exports ?? [] }));
  const here = (path: string): string => `./${relative(dirname(start), path).replaceAll("\\", "/")}`;
  const contents = names
    .map(({ path, at, exports }) => {
      const each = exports.map((name) => `${name} as ${nameOf(at, name)}`).join(", ");
      return `export { ${each} } from "${here(path)}"; export * as ${nameOf(at)} from "${here(path)}";`;
    })
    .join("\n");
  const others: Plugin = {
    name: "others",
    setup: (plugins) =>
      plugins.onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir, kind }) =>
        kind !== "dynamic-import" && joined.includes(resolve(resolveDir, path)) ? undefined : { path, external: true },
      ),
  };
  await build({
    ...overChunks,
    splitting: false,
    stdin: { contents, resolveDir: dirname(start), sourcefile: "start.js" },
    outfile: `${start}.new`,
    minifySyntax: true,
    minifyWhitespace: true,
    packages: "external",
    plugins: [others],
  });
  renameSync(`${start}.new`, start);
  for (const { path, at, exports } of names) {
    const each = exports.map((name) => `${nameOf(at, name)} as ${name}`).join(",");
    writeFileSync(path, `export{${each}}from"${here(start)}";\n`);
  }
  const wholes = new Map(names.map(({ path, at }) => [basename(path), nameOf(at)]));
  for (const path of [start, ...chunks.keys()]) {
    const text = readFileSync(path, "utf8");
    const place = `./${relative(dirname(path), start).replaceAll("\\", "/")}`;
    const direct = text.replace(/\bimport\("([^"]+)"\)/g, (whole, name: string) => {
      const which = wholes.get(basename(name));
      return which === undefined ? whole : `import("${place}").then((start)=>start.${which})`;
    });
    if (direct !== text) writeFileSync(path, direct);
  }
};

const nameOf = (at: number, name = ""): string => `_${at}_${name}`;
