/** From an empty folder and back to one: push, pull, copy, look after, delete, collect. */
import assert from "node:assert/strict";
import { existsSync, globSync, statSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { findPeer } from "@dray/testkit/peers";
import type { Client } from "./clients.ts";
import { type Sandbox } from "./dray.ts";
import { type Everybody, everybody } from "./everybody.ts";
import { layoutOf, samples } from "./samples.ts";
import { type Daemon, type Running, serveDray } from "./serving.ts";

let shop: Sandbox;
let daemon: Daemon | undefined;
let clients: readonly Client[];
let leave: Everybody["leave"];
before(async () => {
  ({ shop, clients, daemon, leave } = await everybody());
});
after(() => leave());

const root = fileURLToPath(new URL("..", import.meta.url));
const executable = process.env["DRAY_EXECUTABLE"] ?? join(root, "dist/dray");

/** Why there is nothing to try: what was built lately is meant, not what was built once. */
const stale = (): string | false => {
  if (!existsSync(executable)) return "missing: dist/dray (npm run build)";
  if (process.env["DRAY_EXECUTABLE"] !== undefined) return false;
  const sources = globSync("packages/{cli,dray,server}/src/**/*.ts", { cwd: root });
  const newest = Math.max(...sources.map((file) => statSync(join(root, file)).mtimeMs));
  return statSync(executable).mtimeMs > newest ? false : "dist/dray is older than its sources (npm run build)";
};

/** Whoever is here of those that the README names, and our own command. */
const present = (): Client[] =>
  clients.filter(({ name }) =>
    name === "docker" ? daemon !== undefined : name === "dray" || (name === "podman" && findPeer(name) !== undefined),
  );

const filesOf = async (folder: string): Promise<{ path: string; size: number }[]> => {
  const files: { path: string; size: number }[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files.push({ path, size: (await stat(path)).size });
  }
  return files;
};

/** Manifests, layers and configurations. */
const contents = async (data: string): Promise<number> =>
  (await filesOf(join(data, "docker/registry/v2/blobs"))).reduce((sum, { size }) => sum + size, 0);

const { root: top, blobs, manifests } = samples.index;
const belowIndex: number = [...blobs.values(), ...[...manifests.values()].map(({ bytes }) => bytes)].reduce(
  (sum, { byteLength }) => sum + byteLength,
  -top.size,
);

const tour = async (data: string, program: { program?: readonly string[] }): Promise<void> => {
  const words = ["--data", data];
  let server: Running = await serveDray(shop, words, program);
  /** Says of the folder what has to hold always. */
  const sound = async (repositories: number, tags: number): Promise<string> => {
    assert.equal(await shop.ok(["serve", "check", ...words]), "the index says what the tree says\n");
    const verified = await shop.ok(["serve", "verify", ...words]);
    assert.match(verified, /: whole$/m);
    const rebuilt = await shop.ok(["serve", "rebuild", ...words]);
    assert.match(rebuilt, new RegExp(`\\b${repositories} repositories, ${tags} tags,`));
    assert.equal(await shop.ok(["serve", "check", ...words]), "the index says what the tree says\n");
    return `${rebuilt}${verified}`;
  };
  try {
    const names = present().map(({ name }) => name);
    for (const one of present()) {
      const pushed = await one.push(server, `tour/${one.name}:v1`, "image");
      assert.equal(await one.pull(server, `tour/${one.name}:v1`), pushed);
    }
    const held = await contents(data);
    await shop.ok(["cp", `${server.host}/tour/dray:v1`, `${server.host}/tour/copy:v2`]);
    assert.equal(await contents(data), held, "a copy within one registry takes no space");
    assert.equal(await shop.ok(["digest", `${server.host}/tour/copy:v2`]), `${samples.image.root.digest}\n`);
    await shop.ok(["cp", `oci:${layoutOf(shop, "index")}:v1`, `${server.host}/tour/index:v1`]);
    assert.match(await shop.ok(["validate", "--remote", `${server.host}/tour/copy:v2`]), /^PASS/);

    const running = await sound(names.length + 2, names.length + 2);
    assert.equal(await server.stop(), 0);
    assert.equal(await sound(names.length + 2, names.length + 2), running, "the same without a server");
    server = await serveDray(shop, words, program);

    for (const name of [...names.map((one) => `tour/${one}:v1`), "tour/copy:v2", "tour/index:v1"]) {
      const digest = (await shop.ok(["digest", `${server.host}/${name}`])).trim();
      await shop.ok(["delete", `${server.host}/${name.replace(/:.*/, "")}@${digest}`]);
    }
    const collect = ["serve", "gc", "--grace", "0", "--lease", "0", ...words];
    assert.match(await shop.ok([...collect, "--dry-run"]), /^remove +blob/m);
    assert.ok((await contents(data)) > 0, "a dry run removes nothing");
    assert.match(await shop.ok(collect), /^removed /);
    // As in distribution, manifests stay until they are deleted: those of the images in the index were not.
    assert.equal(await contents(data), belowIndex);
    assert.match(await shop.ok([...collect, "--untagged", "0"]), /^removed 2 manifests/);
    assert.equal(await contents(data), 0);
    assert.equal(await shop.ok(["serve", "check", ...words]), "the index says what the tree says\n");
    assert.match(await shop.ok(collect), /^removed 0 .* 0 blobs/);
    assert.equal(await server.stop(), 0);
    assert.match(await shop.ok(["serve", "verify", ...words]), /^0 tags, 0 manifests, 0 blobs, 0 B: whole$/m);
    const left = (await filesOf(data)).filter(({ path }) => !path.includes("index.db"));
    assert.ok(left.reduce((sum, { size }) => sum + size, 0) < 1000, left.map(({ path }) => path).join("\n"));
  } finally {
    await server.stop();
  }
};

describe("the tour", () => {
  test("from source", () => tour(shop.path("source"), {}));
  test("as the executable", { skip: stale() }, () => tour(shop.path("executable"), { program: [executable] }));
});
