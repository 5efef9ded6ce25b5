/** crane and dray make the same image of the same words: file tree by umoci, configuration, diffIDs, annotations, media types. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { gzipSync, zstdCompressSync } from "node:zlib";
import {
  type Listener,
  listen,
  memoryRegistry,
  put,
  sampleImage,
  sampleIndex,
  seededBytes,
  type TarEntry,
  tar,
} from "@dray/testkit";
import { type Finished, findPeer, finish, succeed } from "@dray/testkit/peers";
import { loadManifest } from "dray/content";
import { type ImageConfig, validate } from "dray/image";
import { openRepository } from "dray/locations";
import { missing, type Sandbox, workshop } from "../dray.ts";
import { treeOf } from "./tree-of.ts";

const [crane, umoci] = [findPeer("crane"), findPeer("umoci")];
const run = promisify(execFile);

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const folder = (path: string): TarEntry => ({ path, kind: "directory" });
const file = (path: string, bytes: Uint8Array | string, mode = 0o644): TarEntry => ({
  path,
  kind: "file",
  mode,
  bytes: typeof bytes === "string" ? text(bytes) : bytes,
});

const app = tar([
  folder("srv/"),
  folder("srv/app/"),
  file("srv/app/run", "#!/bin/sh\n", 0o755),
  file("srv/app/data", seededBytes("layers/app", 50_000), 0o600),
  { path: "srv/app/current", kind: "symlink", target: "run" },
]);
const more = tar([folder("etc/"), file("etc/layer-0.conf", "another one\n"), file("etc/.wh.layer-1.conf", "")]);
/** Takes away a file, a directory with what is in it, and all that another one had, and puts something in their place. */
const removing = tar([
  folder("srv/"),
  file("srv/.wh.app", ""),
  folder("bin/"),
  file("bin/.wh..wh..opq", ""),
  file("bin/new", "new\n", 0o755),
  file("etc", "no directory any more\n"),
]);
const windows = { os: "windows", architecture: "amd64", "os.version": "10.0.20348.1" };

/** What each program is asked to do, and where its result is. `APP` is the repository, `OUT` the tag of the result, `DIR` the folder of files. */
interface Row {
  readonly name?: string;
  readonly words: readonly string[];
  readonly input?: string;
  /** Whether file trees are compared, and not diffIDs. */
  readonly trees?: boolean | undefined;
  /** `false`: crane's media types are wrong. */
  readonly types?: boolean | undefined;
}

const appends: readonly (string | Row)[] = [
  ...["docker", "oci", "zstd", "plain"].flatMap((base) => [
    `append -b APP:${base} -f DIR/app.tar -t OUT`,
    `append --base APP:${base} --new_layer DIR/app.tar.gz --new_tag OUT`,
  ]),
  "append -b APP:oci -f DIR/app.tar.zst -t OUT",
  "append -b APP:docker -f DIR/app.tar.zst -t OUT",
  "append -b APP:oci -f DIR/app.tar -f DIR/more.tar.gz -t OUT",
  "append -b APP:docker -f DIR/app.tar,DIR/more.tar -t OUT",
  "append -b APP:docker -f DIR/more.tar,DIR/more.tar -t OUT",
  "append -b APP:oci -f DIR/empty.tar -t OUT",
  "append -f DIR/app.tar -t OUT",
  "append -f DIR/app.tar.gz --oci-empty-base -t OUT",
  "append --oci-empty-base=true -f DIR/app.tar -f DIR/more.tar -t OUT",
  "append -b APP:docker -f DIR/app.tar --set-base-image-annotations -t OUT",
  "append -b APP:oci --set-base-image-annotations -f DIR/app.tar -t OUT",
  "append -b APP:annotated --set-base-image-annotations -f DIR/app.tar -t OUT",
  "append -b APP@OCI --set-base-image-annotations -f DIR/app.tar -t OUT",
  "append --platform linux/arm64 -b APP:multi -f DIR/app.tar -t OUT",
  "--platform=linux/amd64 append -b APP:multi -f DIR/app.tar -t OUT",
  { words: "append -b APP:windows -f DIR/app.tar -t OUT".split(" "), trees: true },
  { words: "append -b APP:windows -f DIR/app.tar.gz -f DIR/more.tar -t OUT".split(" "), trees: true },
  { words: "append -b APP:oci -f DIR/more.tar -t OUT".split(" "), name: "the tree of an appended layer", trees: true },
  { words: ["append", "-b", "APP:oci", "-f", "-", "-t", "OUT"], input: "app.tar" },
  { words: ["append", "-f", "-", "-t", "OUT"], input: "more.tar" },
];

const rebases: readonly (string | Row)[] = [
  "rebase APP:docker-app --old_base APP:docker --new_base APP:docker-2 -t OUT",
  "rebase --old_base APP:docker --new_base APP:docker-2 --tag OUT APP:docker-app",
  "rebase APP:docker-app --old_base APP:docker --new_base APP:docker-2 --rebased OUT",
  "rebase APP:docker-app --new_base APP:docker-2 -t OUT",
  "rebase APP:docker-app --new_base APP@DOCKER -t OUT",
  "rebase APP:docker-app -t OUT",
  "rebase APP:docker-app --old_base APP:docker --new_base APP:docker-arm -t OUT",
  "rebase APP:docker-app-2 --old_base APP:docker --new_base APP:docker-2 -t OUT",
  "rebase APP:docker-app-2 --old_base APP:docker-app --new_base APP:docker-2 -t OUT",
  "rebase APP:docker-app --platform linux/amd64 --old_base APP:docker --new_base APP:multi -t OUT",
  // crane gives an image of OCI's types Docker's manifest, with OCI's layers in it.
  ...["--old_base APP:oci --new_base APP:zstd", "--new_base APP:zstd", ""].map((bases) => ({
    words: ["rebase", "APP:oci-app", ...bases.split(" ").filter((word) => word !== ""), "-t", "OUT"],
    types: false,
  })),
];

const flat: readonly Row[] = [
  ...["docker", "oci", "zstd", "plain", "annotated", "docker-app", "oci-app", "docker-app-2", "removing"].map(
    (tag) => `flatten -t OUT APP:${tag}`,
  ),
  "flatten --tag OUT APP:oci-app",
].map((words) => ({ words: words.split(" "), trees: true }));

describe("layers, as crane changes them", { skip: missing(["crane", crane], ["umoci", umoci]), concurrency: 4 }, () => {
  let shop: Sandbox;
  let server: Listener;
  const registry = memoryRegistry();
  const oci = sampleImage({ seed: "layers/oci" });
  const second = sampleImage({ seed: "layers/docker-2", docker: true });

  before(async () => {
    shop = await workshop();
    const images = {
      docker: sampleImage({ seed: "layers/docker", docker: true, layers: 3 }),
      oci,
      zstd: sampleImage({ seed: "layers/zstd", compression: "zstd" }),
      plain: sampleImage({ seed: "layers/plain", compression: "none" }),
      windows: sampleImage({ seed: "layers/windows", docker: true, platform: windows }),
      annotated: sampleImage({ seed: "layers/annotated", annotations: { "org.example.a": "b" } }),
      multi: sampleIndex({ seed: "layers/multi", image: { docker: true } }),
      "docker-2": second,
      "docker-arm": sampleImage({
        seed: "layers/arm",
        docker: true,
        platform: { os: "linux", architecture: "arm64" },
        layers: 1,
      }),
    };
    for (const [tag, image] of Object.entries(images)) put(registry, "demo/app", tag, image);
    server = await listen(registry.handler);
    const files = { "app.tar": app, "more.tar": more, "empty.tar": tar([]), "removing.tar": removing };
    for (const [name, bytes] of Object.entries(files)) {
      await writeFile(shop.path(name), bytes);
      await writeFile(shop.path(`${name}.gz`), gzipSync(bytes));
      await writeFile(shop.path(`${name}.zst`), zstdCompressSync(bytes));
    }
    const on = async (base: string, layer: string, tag: string): Promise<unknown> =>
      succeed(
        [crane as string, "append", "--set-base-image-annotations", "-b", `${server.host}/demo/app:${base}`].concat(
          "-f",
          shop.path(layer),
          "-t",
          `${server.host}/demo/app:${tag}`,
        ),
      );
    await Promise.all([on("docker", "app.tar", "docker-app"), on("oci", "app.tar", "oci-app")]);
    await Promise.all([on("docker-app", "more.tar", "docker-app-2"), on("oci-app", "removing.tar", "removing")]);
  });
  after(async () => {
    await server.close();
    await shop.close();
  });

  let made = 0;
  /** Runs both programs; each has a tag of its own for what it makes. */
  const both = async ({
    words,
    input,
  }: Row): Promise<Record<"crane" | "dray", Finished & { readonly image: string }>> => {
    const number = made++;
    const env = { HOME: shop.dir, DOCKER_CONFIG: shop.path("docker") };
    const [theirs, ours] = ["crane", "dray"].map((who) => {
      const image = `${server.host}/demo/${who}:${number}`;
      const said = words.map((word) =>
        word
          .replaceAll("OUT", image)
          .replaceAll("OCI", oci.root.digest)
          .replaceAll("DOCKER", second.root.digest)
          .replaceAll("APP", `${server.host}/demo/app`)
          .replaceAll("DIR", shop.dir),
      );
      return { image, said };
    }) as [{ image: string; said: string[] }, { image: string; said: string[] }];
    const piped = (line: readonly string[]): readonly string[] =>
      input === undefined ? line : ["/bin/sh", "-c", `exec "$@" < ${shop.path(input)}`, "sh", ...line];
    const [one, other] = await Promise.all([
      finish(piped([crane as string, ...theirs.said]), { env }),
      finish(piped(shop.line(ours.said)), { env: { ...env, ...shop.env } }),
    ]);
    return { crane: { ...one, image: theirs.image }, dray: { ...other, image: ours.image } };
  };

  interface Looked {
    readonly types: readonly unknown[];
    readonly annotations: unknown;
    readonly platform: unknown;
    readonly container: unknown;
    readonly diffIDs: readonly string[];
    readonly empty: readonly boolean[];
  }
  const looked = async (image: string): Promise<Looked> => {
    const { store, name } = await openRepository(image);
    const { parsed } = await loadManifest(store, await store.resolve(name));
    assert.equal(parsed.kind, "manifest");
    const { manifest } = parsed as Extract<typeof parsed, { kind: "manifest" }>;
    const config = await store.json<ImageConfig>(manifest.config);
    const { os, architecture, variant, rootfs, history = [], config: container } = config;
    return {
      types: [manifest.mediaType, manifest.config.mediaType, ...manifest.layers.map((layer) => layer.mediaType)],
      annotations: manifest.annotations,
      platform: [os, architecture, variant, config["os.version"]],
      container,
      diffIDs: rootfs?.diff_ids ?? [],
      empty: history.map((entry) => entry.empty_layer === true),
    };
  };

  /** Layers with the same diffIDs hold the same files; those are compared where they do not, and now and then. */
  const same = async (
    theirs: string,
    ours: string,
    { trees = false, types = true }: Pick<Row, "trees" | "types"> = {},
  ): Promise<void> => {
    const [one, other] = await Promise.all([looked(ours), looked(theirs)]);
    const { diffIDs, types: called, ...rest } = one;
    const { diffIDs: expected, types: others, ...theirRest } = other;
    assert.deepEqual(rest, theirRest);
    if (types) assert.deepEqual(called, others);
    if (!trees) assert.deepEqual(diffIDs, expected);
    assert.equal(diffIDs.length, expected.length);
    const { store, name } = await openRepository(ours);
    assert.deepEqual((await validate(store, await store.resolve(name))).findings, []);
    if (!trees) return;
    const [tree, expectedTree] = await Promise.all([treeOf(shop, ours, called), treeOf(shop, theirs, others)]);
    assert.equal(tree, expectedTree);
  };

  for (const row of [...appends, ...rebases, ...flat].map(
    (each): Row => (typeof each === "string" ? { words: each.split(" ") } : each),
  ))
    test(row.name ?? row.words.join(" ") + (row.input === undefined ? "" : ` < ${row.input}`), async () => {
      const { crane: theirs, dray: ours } = await both(row);
      assert.equal(theirs.code, 0, theirs.stderr);
      assert.equal(ours.code, 0, ours.stderr);
      assert.match(ours.stdout, new RegExp(`^${ours.image.replace(/:\d+$/, "")}@sha256:[0-9a-f]{64}\n$`));
      await same(theirs.image, ours.image, { trees: row.trees, types: row.types });
    });

  test("squashed layers unpack to the same files, also over others that they take from", async () => {
    const [from, to] = [`${server.host}/demo/app:removing`, `${server.host}/demo/squashed`];
    const types = ["oci"];
    const tree = await treeOf(shop, from, types);
    for (const [tag, ...words] of [
      ["a"],
      ["b", "--from", "-2"],
      ["c", "--from", "2"],
      ["d", "--to", "2"],
      ["e", "--from", "2", "--to", "3"],
    ]) {
      await shop.ok(["squash", ...words, "-t", `${to}:${tag}`, from]);
      assert.equal(await treeOf(shop, `${to}:${tag}`, types), tree, words.join(" "));
    }
    await shop.ok(["recompress", "--level", "9", "-t", `${to}:f`, from]);
    assert.equal(await treeOf(shop, `${to}:f`, types), tree);
    await shop.ok(["recompress", "--canonical", "-t", `${to}:g`, from]);
    assert.equal(await treeOf(shop, `${to}:g`, types), tree);
  });

  test("a file in place of a push", async () => {
    for (const who of ["crane", "dray"]) await mkdir(shop.path(who));
    const words = (who: string): string[] => [
      "append",
      "-b",
      `${server.host}/demo/app:docker`,
      "-f",
      shop.path("app.tar"),
      "-t",
      "example.com/a/b:1",
      "-o",
      shop.path(who, "out.tar"),
    ];
    await succeed([crane as string, ...words("crane")]);
    assert.equal(await shop.ok(words("dray")), "");
    for (const who of ["crane", "dray"])
      await succeed([crane as string, "push", shop.path(who, "out.tar"), `${server.host}/demo/out:${who}`]);
    await same(`${server.host}/demo/out:crane`, `${server.host}/demo/out:dray`);
  });

  test("a pipe that is no file", async () => {
    for (const who of ["crane", "dray"]) {
      const pipe = shop.path(`${who}.pipe`);
      await succeed(["mkfifo", pipe]);
      const words = [
        "append",
        "-b",
        `${server.host}/demo/app:oci`,
        "-f",
        pipe,
        "-t",
        `${server.host}/demo/pipe:${who}`,
      ];
      const line = who === "crane" ? [crane as string, ...words] : shop.line(words);
      const writing = run("/bin/sh", ["-c", `cat ${shop.path("app.tar")} > ${pipe}`]);
      await finish(line, { env: { HOME: shop.dir, ...shop.env } });
      await writing;
    }
    await same(`${server.host}/demo/pipe:crane`, `${server.host}/demo/pipe:dray`);
  });
});
