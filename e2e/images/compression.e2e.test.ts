/** One archive is one digest, whatever pushes it; GNU gzip, crane and skopeo read its layers. */
import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Listener, listen, memoryRegistry, seededBytes, type TarEntry, tar } from "@dray/testkit";
import { findPeer, succeed } from "@dray/testkit/peers";
import { collect, loadManifest } from "dray/content";
import { copy } from "dray/copy";
import { validate } from "dray/image";
import { open, openRepository } from "dray/locations";
import { digestOf } from "dray/oci";
import { missing, type Sandbox, workshop } from "../dray.ts";

/** What `dray push` names this archive, now and for ever: a change is a breaking one (`deflateFormat`). */
const promised = "sha256:78f2f46ea5d7a756f49caa17eb19020cbc38db6ff3946d7013d37ed211e3ff4b";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const file = (path: string, bytes: Uint8Array): TarEntry => ({ path, kind: "file", bytes });

/** More than two segments, of text and of what cannot be compressed; and a small layer. */
const layers = [
  tar([
    file("list", text(Array.from({ length: 60_000 }, (_, i) => `{"name":"lib${(i * i) % 911}","is":${i}}\n`).join(""))),
    file("blob", seededBytes("compression", 700_000)),
  ]),
  tar([file("name", text("small\n"))]),
];

const archive = (): Uint8Array => {
  const rootfs = { type: "layers", diff_ids: layers.map((layer) => digestOf(layer)) };
  const config = text(JSON.stringify({ architecture: "amd64", os: "linux", config: {}, rootfs }));
  const names = layers.map((_, index) => `${index}.tar`);
  return tar([
    file("config.json", config),
    ...layers.map((layer, index) => file(`${index}.tar`, layer)),
    file("manifest.json", text(JSON.stringify([{ Config: "config.json", RepoTags: ["app:1"], Layers: names }]))),
  ]);
};

/** What `npm run build` makes; one that is older than the encoder says nothing of it. */
const executable = (): string | undefined => {
  const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
  const [made, encoder] = [path("dist/dray"), path("packages/dray/src/deflate/encoder.wasm.ts")];
  return existsSync(made) && statSync(made).mtimeMs > statSync(encoder).mtimeMs ? made : undefined;
};

describe("one archive is one digest", () => {
  let box: Sandbox;
  let server: Listener;
  before(async () => {
    box = await workshop();
    server = await listen(memoryRegistry().handler);
    await writeFile(box.path("image.tar"), archive());
  });
  after(async () => {
    await server.close();
    await box.close();
  });

  test("push and digest --tarball name it as it is promised", async () => {
    const said = await box.ok(["push", box.path("image.tar"), `${server.host}/push/app:1`]);
    assert.equal(said, `${server.host}/push/app@${promised}\n`);
    assert.equal(await box.ok(["digest", "--tarball", box.path("image.tar")]), `${promised}\n`);
    assert.deepEqual((await validate(...(await rootOf("push/app")))).findings, []);
  });

  test("so does the library", async () => {
    const source = await open(`docker-archive:${box.path("image.tar")}`);
    const { root } = await copy(source, await open(`${server.host}/library/app:1`));
    assert.equal(root.digest, promised);
  });

  test("so does a machine with one processor", { skip: process.platform !== "linux" }, async () => {
    const line = box.line(["digest", "--tarball", box.path("image.tar")]);
    assert.equal(await succeed(["taskset", "-c", "0", ...line]), `${promised}\n`);
  });

  const built = executable();
  test("so does the executable", { skip: built === undefined && "dist/dray is not built, or older" }, async () => {
    assert.equal(await succeed([built as string, "digest", "--tarball", box.path("image.tar")]), `${promised}\n`);
  });

  const isNode = process.versions["bun"] === undefined;
  test("so does Node without its optimizing compiler", { skip: !isNode && "this is no Node" }, async () => {
    const [node = "", ...words] = box.line(["digest", "--tarball", box.path("image.tar")]);
    assert.equal(await succeed([node, "--liftoff-only", ...words]), `${promised}\n`);
  });

  const rootOf = async (repository: string) => {
    const { store } = await openRepository(`${server.host}/${repository}`);
    return [store, await store.resolve("1")] as const;
  };

  const layerFiles = async (): Promise<string[]> => {
    const [store, root] = await rootOf("push/app");
    const { parsed } = await loadManifest(store, root);
    assert.ok(parsed.kind === "manifest");
    const { layers: pushed } = parsed.manifest;
    return Promise.all(
      pushed.map(async (layer, index) => {
        const path = box.path(`layer-${index}.gz`);
        await writeFile(path, await collect(store.read(layer), layer.size, "a layer"));
        return path;
      }),
    );
  };

  const [gzip, crane, skopeo] = [findPeer("gzip"), findPeer("crane"), findPeer("skopeo")];

  test("GNU gzip reads its layers", { skip: missing(["gzip", gzip]) }, async () => {
    for (const path of await layerFiles()) await succeed([gzip as string, "-t", path]);
  });

  test("crane reads its layers", { skip: missing(["crane", crane]) }, async () => {
    const image = `${server.host}/push/app:1`;
    assert.match(await succeed([crane as string, "validate", "--remote", image]), /^PASS/);
    await succeed([crane as string, "export", image, box.path("export.tar")]);
    assert.match(await succeed(["tar", "-tf", box.path("export.tar")]), /list/);
  });

  test("skopeo reads its layers", { skip: missing(["skopeo", skopeo]) }, async () => {
    // It unpacks them, and compares what comes of it with the diffIDs.
    const to = `docker-archive:${box.path("skopeo.tar")}:app:1`;
    await succeed([skopeo as string, "copy", "-q", "--src-tls-verify=false", `docker://${server.host}/push/app:1`, to]);
    assert.equal(await box.ok(["digest", "--tarball", box.path("skopeo.tar")]), `${promised}\n`);
  });
});
