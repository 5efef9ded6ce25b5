/**
 * `npm run functions -- [CHECKOUT]`: how many functions and files of the product run for what it does most, each action after one
 * like it, so that what only a start does is not counted; what a server is asked for three times, so that what it does on its own in
 * between is not counted either. Server and client are processes of their own; all of their threads count.
 * The packages may be those of another checkout (after `npm ci`), so that before and after come from one script.
 */
import { randomBytes } from "node:crypto";
import { cpSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Child } from "./functions/child.ts";
import { ask, digestOf, manifestType, pushBlob, pushContent, pushImage, session } from "./functions/images.ts";
import type { Taken } from "./functions/probe.ts";
import { findRuntime, root } from "./runtimes.ts";

const { values, positionals } = parseArgs({ options: { list: { type: "boolean" } }, allowPositionals: true });
const checkout = realpathSync(resolve(positionals[0] ?? root));
const MiB = 1024 * 1024;
const large = 9 * MiB;
const blobSize = 32 * MiB;
/** A function that is entered this often runs for each chunk of the blob: at least once per 256 KiB. */
const perChunk = blobSize / (256 * 1024);

interface Row {
  readonly action: string;
  readonly functions: number;
  readonly files: number;
  readonly chunk?: { readonly functions: number; readonly files: number };
  readonly parses: number;
}

/** The product's own: not tests, not what tests are made with. */
const isProduct = (file: string): boolean =>
  /^packages\/(?!testkit\/)[^/]+\/src\//.test(file) && !file.includes(".test.");

/** Each function by its file and place, entered in any thread. */
const entered = (threads: readonly Taken[]): Map<string, { file: string; name: string; count: number }> => {
  const all = new Map<string, { file: string; name: string; count: number }>();
  for (const { url, name, start, count } of threads.flatMap(({ functions }) => functions)) {
    if (!url.startsWith("file:")) continue;
    const file = relative(checkout, fileURLToPath(url));
    if (!isProduct(file)) continue;
    const key = `${file}:${start}`;
    all.set(key, { file, name, count: (all.get(key)?.count ?? 0) + count });
  }
  return all;
};

const rowOf = (action: string, runs: readonly (readonly Taken[])[], chunks: boolean): Row => {
  const [first = new Map(), ...others] = runs.map(entered);
  const all = [...first].flatMap(([key, { file, name, count }]) => {
    const counts = [count, ...others.map((run) => run.get(key)?.count ?? 0)];
    return counts.includes(0) ? [] : [{ file, name, count: Math.min(...counts) }];
  });
  const sums = (some: typeof all) => ({ functions: some.length, files: new Set(some.map(({ file }) => file)).size });
  const often = all.filter(({ count }) => count >= perChunk);
  if (values.list === true) {
    console.log(`\n${action}`);
    for (const { file, name, count } of all) console.log(`  ${file}  ${name || "(anonymous)"}  ${count}`);
  }
  const parses = Math.min(...runs.map((threads) => threads.reduce((sum, taken) => sum + taken.parses, 0)));
  return { action, ...sums(all), ...(chunks ? { chunk: sums(often) } : {}), parses };
};

/** What follows an answer, such as a note in a log, belongs to it. */
const rest = 200;

const counted = async (
  action: string,
  child: Child,
  acts: readonly (() => Promise<unknown>)[],
  chunks = false,
): Promise<Row> => {
  const runs: (readonly Taken[])[] = [];
  for (const act of acts) {
    await child.taken();
    await act();
    await sleep(rest);
    runs.push(await child.taken());
  }
  return rowOf(action, runs, chunks);
};

const serve = async (node: string, data: string): Promise<{ child: Child; host: string }> => {
  const words = ["serve", "--data", data, "--listen", "127.0.0.1:0", "--log-level", "warn"];
  const child = new Child(node, checkout, ["packages/cli/src/main.ts", ...words]);
  return { child, host: await child.says(/https?:\/\/([^\s/;]+:\d+)/) };
};

const main = async (): Promise<void> => {
  const runtime = findRuntime("node");
  if ("missing" in runtime) throw new Error(runtime.missing);
  const { path: node, title } = runtime;
  const folder = mkdtempSync(join(tmpdir(), "dray-functions-"));
  const [near, far] = await Promise.all([serve(node, join(folder, "near")), serve(node, join(folder, "far"))]);
  const client = new Child(node, checkout, [join(import.meta.dirname, "functions/tasks.ts")]);
  const collecting = new Child(node, checkout, [join(import.meta.dirname, "functions/tasks.ts")]);
  const rows: Row[] = [];
  try {
    const at = `http://${near.host}/v2/team/image`;
    for (const tag of ["first", "second"]) {
      await pushImage(at, tag, large);
      await client.does({
        copy: [`${near.host}/team/image:${tag}`, `docker-archive:${folder}/${tag}.tar:image:${tag}`],
      });
    }
    const copies: readonly [action: string, copy: (tag: string) => readonly [string, string]][] = [
      ["copy, registry to registry", (tag) => [`${near.host}/team/image:${tag}`, `${far.host}/team/image:${tag}`]],
      ["pull to a layout", (tag) => [`${near.host}/team/image:${tag}`, `oci:${folder}/layout:${tag}`]],
      [
        "copy, docker-archive to registry",
        (tag) => [`docker-archive:${folder}/${tag}.tar`, `${far.host}/team/archive:${tag}`],
      ],
    ];
    for (const [action, copy] of copies) {
      await client.does({ copy: copy("first") });
      rows.push(await counted(action, client, [() => client.does({ copy: copy("second") })]));
    }

    const push = (tag: string) => ({
      command: ["push", `${folder}/${tag}.tar`, `${far.host}/team/pushed:${tag}`, "--insecure"],
    });
    await client.does(push("first"));
    rows.push(await counted("dray push of it", client, [() => client.does(push("second"))]));

    const { child } = near;
    const repository = `http://${near.host}/v2/team/blobs`;
    /** Once before it counts, then as often as it is counted. */
    const asked = async (action: string, ask: (i: number) => Promise<unknown>, chunks = false): Promise<void> => {
      await ask(0);
      rows.push(await counted(action, child, [() => ask(1), () => ask(2), () => ask(3)], chunks));
    };
    const blobs = Array.from({ length: 4 }, () => randomBytes(blobSize));
    const addresses: string[] = [];
    for (const blob of blobs) addresses.push(await session(repository, digestOf(blob)));
    await asked("PUT of a blob of 32 MiB", (i) => ask("PUT", addresses[i] ?? "", blobs[i]), true);
    const manifests: Uint8Array[] = [];
    for (const _ of blobs) manifests.push(await pushContent(repository, 20_000));
    await asked("PUT of a manifest", (i) => ask("PUT", `${repository}/manifests/tag-${i}`, manifests[i], manifestType));
    await asked("POST and PUT of a small blob", () => pushBlob(repository, randomBytes(1000)));
    await asked("GET of that blob", (i) =>
      ask("GET", `${repository}/blobs/${digestOf(blobs[i] ?? new Uint8Array(0))}`),
    );
    await asked("GET of that manifest", (i) => ask("GET", `${repository}/manifests/tag-${i}`));

    const other = `http://${far.host}/v2/team/image`;
    await pushImage(other, "third", 20_000);
    await pushBlob(other, randomBytes(1000));
    await ask("DELETE", `${other}/manifests/third`);
    for (const { child } of [near, far]) await child.stop();

    // The volume of the second registry, and a copy of it: content that nothing names goes, as does a manifest without a tag.
    const volume = join(folder, "far");
    cpSync(volume, join(folder, "copy"), { recursive: true });
    await collecting.does({ registry: volume });
    await collecting.does({ collect: true });
    await collecting.does({ registry: join(folder, "copy") });
    rows.push(await counted("garbage collection", collecting, [() => collecting.does({ collect: true })]));
  } finally {
    for (const child of [near.child, far.child, client, collecting]) await child.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`\n${title}\n\n| action | functions | files | functions per chunk | files per chunk | JSON parses |`);
  console.log("|---|---|---|---|---|---|");
  for (const { action, functions, files, chunk, parses } of rows)
    console.log(
      `| ${action} | ${functions} | ${files} | ${chunk?.functions ?? ""} | ${chunk?.files ?? ""} | ${parses} |`,
    );
};

await main();
