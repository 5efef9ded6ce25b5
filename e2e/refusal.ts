/** What every refusal keeps to: one line that names the thing and the remedy, and nothing unfinished under a final name. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Finished } from "@dray/testkit/peers";
import { digestOf } from "dray/oci";
import type { Sandbox } from "./dray.ts";

/** A password that no line may show, in any form. */
export const secret = "s3cr3t-pa55w0rd";

/** One kind of bad input. */
export interface Case {
  readonly name: string;
  /** Commands that all get the same. Their words stand for others where `places` has them; `OUT` is a path of its own. */
  readonly commands: readonly string[];
  readonly code: number;
  /** What the line says. */
  readonly says: RegExp;
  /** What lines before it say, in their order. */
  readonly before?: readonly RegExp[];
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** What words in a command stand for: hosts, paths. */
export type Places = Readonly<Record<string, string>>;

let folders = 0;

/** Runs the commands of a case and checks all that a refusal keeps to. */
export const isRefused = async (shop: Sandbox, places: Places, { commands, ...refusal }: Case): Promise<void> => {
  const { env = {}, input } = refusal;
  for (const command of commands) {
    const folder = shop.path(`out-${++folders}`);
    await mkdir(folder);
    const words = wordsOf(command, { OUT: join(folder, "image"), ...places });
    const options = { env: { DRAY_RETRY: "0", ...env }, ...(input === undefined ? {} : { input }) };
    checkRefusal(await shop.dray(words, options), refusal, command);
    await checkFolder(folder, command);
  }
};

/** The words of a command, each place put where it is named. */
export const wordsOf = (command: string, places: Places): string[] =>
  command
    .split(" ")
    .map((word) => Object.entries(places).reduce((text, [name, place]) => text.replaceAll(name, place), word));

/** Checks exit code and line. */
export const checkRefusal = (
  { code, stderr }: Finished,
  refusal: Pick<Case, "before" | "code" | "says">,
  command: string,
): void => {
  const what = `${command}: exit ${code}: ${stderr}`;
  assert.equal(code, refusal.code, what);
  const lines = stderr.replace(/\n$/, "").split("\n");
  const [last = "", ...others] = lines.toReversed();
  assert.match(last, /^Error: ./, what);
  assert.match(last, refusal.says, what);
  const before = refusal.before ?? [];
  assert.equal(others.length, before.length, what);
  for (const [i, says] of before.entries()) assert.match(lines[i] ?? "", says, what);
  // Nothing that moves the cursor or turns the text round, no trace of the code, no secret.
  assert.doesNotMatch(stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/, what);
  assert.doesNotMatch(stderr, /^\s+at |node:internal|\[object |undefined|\bnull\b/m, what);
  for (const form of [secret, encodeURIComponent(secret), Buffer.from(`ann:${secret}`).toString("base64")])
    assert.ok(!stderr.includes(form), what);
};

/** What stands in a folder under a name of its own is whole, or a part of something that says that it is one. */
export const checkFolder = async (folder: string, what: string): Promise<void> => {
  for (const name of await readdir(folder)) {
    if (name.endsWith(".dray-part")) continue;
    const path = join(folder, name);
    assert.ok((await stat(path)).isDirectory(), `${what}: left ${name}`);
    assert.ok(!(await readdir(path)).includes("index.json"), `${what}: left a layout that says it is one`);
    await checkBlobs(path, what);
  }
};

const checkBlobs = async (layout: string, what: string): Promise<void> => {
  const blobs = join(layout, "blobs", "sha256");
  for (const name of await readdir(blobs).catch((): string[] => []))
    assert.equal(digestOf(await readFile(join(blobs, name))), `sha256:${name}`, `${what}: a damaged blob`);
};
