/** crane and dray write a file of an image by the same words, from standard input and in an editor at a terminal: umoci unpacks the same files. */
import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { type Listener, listen, memoryRegistry, put, sampleImage, sampleIndex } from "@dray/testkit";
import { type Finished, findPeer, finish } from "@dray/testkit/peers";
import { collect, loadManifest } from "dray/content";
import { type FileInTar, filesTar, type ImageConfig, validate } from "dray/image";
import { openRepository } from "dray/locations";
import { mediaTypes } from "dray/oci";
import { missing, type Sandbox, workshop } from "../dray.ts";
import { treeOf } from "./tree-of.ts";

const [crane, umoci, script] = [findPeer("crane"), findPeer("umoci"), findPeer("script")];

const content = (text: string): Uint8Array => new TextEncoder().encode(text);
const layerOf = (entries: readonly FileInTar[]): Promise<Uint8Array> =>
  collect(filesTar(entries).open(), 1_000_000, "layer");
const tars = [
  await layerOf([
    { name: "etc/", type: "directory", mode: 0o755 },
    { name: "etc/conf", mode: 0o640, mtime: 86_400, content: content("old\n") },
    { name: "etc/plain", mode: 0o555, content: content("plain\n") },
    { name: "usr/bin/", type: "directory", mode: 0o755 },
    { name: "usr/bin/tool", mode: 0o755, content: content("tool\n") },
    { name: "bin", type: "symlink", mode: 0o777, linkName: "usr/bin" },
    { name: "etc/link", type: "symlink", mode: 0o777, linkName: "plain" },
  ]),
  await layerOf([{ name: "etc/conf", mode: 0o640, mtime: 86_400, content: content("upper\n") }]),
];
const oci = sampleImage({ seed: "edit-fs/oci", tars });

interface Row {
  /** Behind `edit fs`; `OUT` stands for where it goes, `APP` for the repository. */
  readonly words: string;
  readonly input?: string;
  /** A line of the shell, whose `$1` is the file: it is typed at a terminal. */
  readonly types?: string;
  /** Whether the new layer is the same tar. */
  readonly layer?: boolean;
}

const rows: readonly Row[] = ["oci", "docker"].flatMap((image): Row[] => [
  { words: `-f etc/new -t OUT APP:${image}`, input: "new\n", layer: true },
  { words: `-f etc/empty -t OUT APP:${image}`, input: "", layer: true },
  { words: `--filename /etc/new --tag OUT APP:${image}`, input: "new\n" },
  { words: `-f etc/plain -t OUT APP:${image}`, input: "other\n" },
  { words: `-f ./etc/plain -t OUT APP:${image}`, input: "other\n" },
  { words: `-f /etc/conf -t OUT APP:${image}`, types: 'sed -i s/upper/typed/ "$1"', layer: true },
  { words: `-f etc/conf -t OUT APP:${image}`, types: 'echo more >> "$1"', layer: true },
  { words: `-f /etc/typed -t OUT APP:${image}`, types: 'echo typed > "$1"' },
  { words: `-f /usr/bin/tool -t OUT APP:${image}`, types: 'printf "#!/bin/sh\\n" > "$1"', layer: true },
]);

describe("a file of an image", {
  skip: missing(["crane", crane], ["umoci", umoci], ["script", script]),
  concurrency: 4,
}, () => {
  const registry = memoryRegistry();
  let shop: Sandbox;
  let server: Listener;
  before(async () => {
    shop = await workshop();
    put(registry, "demo/app", "oci", oci);
    put(registry, "demo/app", "docker", sampleImage({ seed: "edit-fs/docker", tars, docker: true }));
    put(registry, "demo/app", "multi", sampleIndex({ seed: "edit-fs/multi", image: { tars } }));
    server = await listen(registry.handler);
  });
  after(async () => {
    await server.close();
    await shop.close();
  });

  let made = 0;
  interface Made extends Finished {
    readonly image: string;
  }
  const both = async ({ words, input = "", types }: Row): Promise<Record<"crane" | "dray", Made>> => {
    const number = made++;
    const editor = shop.path(`editor-${number}`);
    await writeFile(editor, `#!/bin/sh\n${types}\n`);
    await chmod(editor, 0o755);
    const one = async (who: "crane" | "dray"): Promise<Made> => {
      const image = `${server.host}/demo/${who}:${number}`;
      const said = [
        "edit",
        "fs",
        ...words.replaceAll("OUT", image).replaceAll("APP", `${server.host}/demo/app`).split(" "),
      ];
      if (types === undefined && who === "dray") return { ...(await shop.here(said, { input })), image };
      const line = who === "crane" ? [crane as string, ...said] : shop.line(said);
      const env = { ...shop.env, EDITOR: editor, VISUAL: undefined };
      if (types === undefined) return { ...(await finish(line, { env, input })), image };
      const quoted = line.map((word) => `'${word}'`).join(" ");
      const ended = await finish([script as string, "-qec", quoted, "/dev/null"], { env });
      return { ...ended, image };
    };
    const [theirs, ours] = await Promise.all([one("crane"), one("dray")]);
    return { crane: theirs, dray: ours };
  };

  const looked = async (image: string) => {
    const { store, name } = await openRepository(image);
    const root = await store.resolve(name);
    const { parsed } = await loadManifest(store, root);
    assert.equal(parsed.kind, "manifest");
    const { manifest } = parsed as Extract<typeof parsed, { kind: "manifest" }>;
    const { rootfs, history = [], ...config } = await store.json<ImageConfig>(manifest.config);
    assert.deepEqual((await validate(store, root)).findings, []);
    return {
      types: [manifest.mediaType, ...manifest.layers.map(({ mediaType }) => mediaType)],
      diffIDs: rootfs?.diff_ids ?? [],
      steps: history.length,
      config,
    };
  };

  test("is written in eighteen cases", () => assert.equal(rows.length, 18));

  for (const row of rows)
    test(`edit fs ${row.words}${row.types === undefined ? ` < ${JSON.stringify(row.input)}` : `, typed: ${row.types}`}`, async () => {
      const { crane: theirs, dray: ours } = await both(row);
      assert.equal(theirs.code, 0, theirs.stderr + theirs.stdout);
      assert.equal(ours.code, 0, ours.stderr + ours.stdout);
      // At a terminal both streams are one.
      assert.equal(theirs.stdout.trim().split("\n").at(-1), theirs.image);
      if (row.types === undefined) assert.equal(ours.stdout, `${ours.image}\n`);
      else assert.ok(ours.stdout.split(/\r?\n/).includes(ours.image), ours.stdout);
      const [one, other] = await Promise.all([looked(ours.image), looked(theirs.image)]);
      const { diffIDs, types, ...rest } = one;
      const { diffIDs: expected, types: called, ...theirRest } = other;
      assert.deepEqual(rest, theirRest);
      // crane gives an image of OCI's types a layer of Docker's.
      assert.deepEqual(types.slice(0, -1), called.slice(0, -1));
      assert.equal(types.at(-1), types.at(-2));
      assert.deepEqual(diffIDs.slice(0, -1), expected.slice(0, -1));
      if (row.layer === true) assert.deepEqual(diffIDs, expected);
      const [tree, expectedTree] = await Promise.all([
        treeOf(shop, ours.image, one.types),
        treeOf(shop, theirs.image, other.types),
      ]);
      assert.equal(tree, expectedTree);
    });

  test("goes over the tag, and beside a digest, as crane has it", async () => {
    for (const who of ["crane", "dray"]) put(registry, `own/${who}`, "1", oci);
    const printed = async (who: "crane" | "dray", name: string): Promise<string> => {
      const words = ["edit", "fs", "-f", "etc/new", `${server.host}/own/${who}${name}`];
      const line = who === "crane" ? [crane as string, ...words] : shop.line(words);
      const { code, stdout, stderr } = await finish(line, { env: shop.env, input: "n" });
      assert.equal(code, 0, stderr);
      return stdout.replace(`/own/${who}`, "").replace(/@sha256:[0-9a-f]{64}/, "@DIGEST");
    };
    for (const name of [`@${oci.root.digest}`, ":1"]) {
      assert.equal(await printed("dray", name), await printed("crane", name));
      for (const who of ["crane", "dray"])
        assert.equal(registry.manifest(`own/${who}`, "1")?.digest === oci.root.digest, name !== ":1", `${who}${name}`);
    }
  });

  describe("crane's own mistakes, which are not ours", () => {
    const linesOf = async (image: string): Promise<string[]> =>
      (await treeOf(shop, image, (await looked(image)).types)).split("\n");

    test("what is there loses its mode where it comes from standard input", async () => {
      const { crane: theirs, dray: ours } = await both({ words: "-f etc/conf -t OUT APP:oci", input: "n" });
      assert.ok((await linesOf(theirs.image)).includes("etc/conf f 555 "));
      assert.ok((await linesOf(ours.image)).includes("etc/conf f 640 "));
    });

    test("a link is replaced, or fails in an editor, and what it leads to stays as it was", async () => {
      const { crane: theirs, dray: ours } = await both({ words: "-f etc/link -t OUT APP:oci", input: "n" });
      assert.ok((await linesOf(theirs.image)).includes("etc/link f 555 "));
      assert.ok((await linesOf(ours.image)).includes("etc/link l 777 plain"));
      const typed = await both({ words: "-f /etc/link -t OUT APP:oci", types: 'echo n >> "$1"' });
      assert.notEqual(typed.crane.code, 0);
      assert.equal(typed.dray.code, 0, typed.dray.stdout);
    });

    test("a layer of Docker's type comes on an image of OCI's", async () => {
      const { crane: theirs, dray: ours } = await both({ words: "-f etc/new -t OUT APP:oci", input: "n" });
      const kinds = async ({ image }: Made): Promise<number> => new Set((await looked(image)).types.slice(1)).size;
      assert.deepEqual([await kinds(theirs), await kinds(ours)], [2, 1]);
    });

    test("a file that is named from the root is not seen by export, where there was one", async () => {
      const { crane: theirs, dray: ours } = await both({ words: "-f /etc/plain -t OUT APP:docker", input: "other\n" });
      const exported = async ({ image }: Made): Promise<string> => {
        const shell = `${crane} export ${image} - | tar -xO etc/plain`;
        return (await finish(["/bin/sh", "-c", shell], { env: shop.env })).stdout;
      };
      assert.deepEqual([await exported(theirs), await exported(ours)], ["plain\n", "other\n"]);
    });

    test("an index becomes one image", async () => {
      const { crane: theirs, dray: ours } = await both({ words: "-f etc/new -t OUT APP:multi", input: "n" });
      const typeOf = ({ image }: Made): string | undefined => {
        const [, repository = "", tag = ""] = /^[^/]*\/(.*):(\d+)$/.exec(image) ?? [];
        return registry.manifest(repository, tag)?.mediaType;
      };
      assert.deepEqual([typeOf(theirs), typeOf(ours)], [mediaTypes.ociManifest, mediaTypes.ociIndex]);
    });

    test("a folder becomes a file, or something in a file's place", async () => {
      for (const path of ["/etc", "/etc/conf/x"]) {
        const { crane: theirs, dray: ours } = await both({ words: `-f ${path} -t OUT APP:oci`, input: "n" });
        assert.deepEqual([theirs.code, ours.code === 0], [0, false], path);
      }
    });
  });
});
