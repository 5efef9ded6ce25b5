/** Layers that others have compressed are read in parts after the first look: the same files, whatever program wrote the gzip, and few bytes of a real registry. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { seededBytes } from "@dray/testkit";
import {
  type CuttingProxy,
  cuttingProxy,
  type DockerRegistry,
  findPeer,
  startDockerRegistry,
  succeed,
} from "@dray/testkit/peers";
import { missing, type Sandbox, workshop } from "../dray.ts";

const [crane, tar] = [findPeer("crane"), findPeer("tar")];
const registryIsThere = findPeer("docker-registry");

const run = promisify(execFile);
const mebibyte = 2 ** 20;

/** Twelve megabytes in files that become half of that, some of them large. */
const files = new Map(
  Array.from({ length: 60 }, (_, i): [string, string] => [
    `srv/${i}`,
    Buffer.from(seededBytes(`file ${i}`, i % 20 === 7 ? 1_600_000 : 5 * 1024)).toString("hex"),
  ]),
);

/** Layers by who compressed them; `undefined` where the program is missing, which is said. */
const writers: Readonly<Record<string, (tarFile: string) => Promise<Uint8Array | undefined>>> = {
  ...Object.fromEntries(["-1", "-6", "-9"].map((level) => [`gzip ${level}`, (file) => by("gzip", file, level)])),
  pigz: (file) => by("pigz", file),
  "pigz of independent blocks": (file) => by("pigz", file, "-i"),
  "two members": async (file) => {
    const bytes = await readFile(file);
    const middle = Math.floor(bytes.byteLength / 2);
    return Buffer.concat([gzipSync(bytes.subarray(0, middle)), gzipSync(""), gzipSync(bytes.subarray(middle))]);
  },
  "zeros behind it": async (file) => Buffer.concat([gzipSync(await readFile(file)), Buffer.alloc(3000)]),
  "nobody: it is only stored": async (file) => gzipSync(await readFile(file), { level: 0 }),
};

const by = async (name: string, file: string, ...words: string[]): Promise<Uint8Array | undefined> => {
  const program = findPeer(name);
  if (program === undefined) return undefined;
  const { stdout } = await run(program, ["-c", ...words, file], { encoding: "buffer", maxBuffer: 1e8 });
  return stdout;
};

describe("a layer of gzip", {
  skip: missing(["tar", tar], ["docker-registry", registryIsThere]),
}, () => {
  let shop: Sandbox;
  let registry: DockerRegistry;
  let proxy: CuttingProxy;
  let tarFile: string;

  before(async () => {
    shop = await workshop();
    registry = (await startDockerRegistry()) ?? assert.fail("docker-registry is there");
    proxy = await cuttingProxy(registry.host);
    const root = shop.path("root");
    await mkdir(join(root, "srv"), { recursive: true });
    for (const [name, text] of files) await writeFile(join(root, name), text);
    tarFile = shop.path("layer.tar");
    await run(tar as string, ["cf", tarFile, "--sort=name", "-C", root, "srv"]);
  });
  after(async () => {
    await proxy.close();
    await registry.close();
    await shop.close();
  });

  const ok = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await shop.here(words);
    assert.equal(code, 0, `${words.join(" ")}: ${stderr}`);
    return stdout;
  };
  const layerOf = async (reference: string): Promise<{ digest: string; size: number }> =>
    JSON.parse(await ok("manifest", reference)).layers[0];

  /** Looks twice; between the looks the layer leaves the cache. */
  const twice = async (name: string): Promise<void> => {
    const reference = `${proxy.host}/${name}:1`;
    const cache = ["--cache_path", shop.path(`cache-${name}`)];
    const { digest, size } = await layerOf(reference);
    assert.equal(await ok("cat", ...cache, `${reference}:/srv/3`), files.get("srv/3"));
    const listed = await ok("ls", "-R", "-o", "json", "--no-cache", `${reference}:/`);
    await unlink(join(cache[1] as string, digest));
    assert.deepEqual(
      (await readdir(cache[1] as string)).filter((each) => each.startsWith(digest)),
      [`${digest}.index`],
    );
    let before = proxy.received();
    assert.equal(await ok("ls", "-R", "-o", "json", ...cache, `${reference}:/`), listed, name);
    assert.ok(proxy.received() - before < 20_000, `${name}: ${proxy.received() - before} bytes for a list`);
    for (const file of ["srv/0", "srv/25", "srv/59"]) {
      before = proxy.received();
      assert.equal(await ok("cat", ...cache, `${reference}:/${file}`), files.get(file), `${name}: ${file}`);
      const moved = proxy.received() - before;
      assert.ok(moved < Math.max(mebibyte, size / 4), `${name}: ${moved} of ${size} bytes for ${file}`);
    }
    assert.equal(await ok("cat", ...cache, `${reference}:/srv/27`), files.get("srv/27"), `${name}: a large file`);
  };

  for (const [name, write] of Object.entries(writers))
    test(`by ${name}`, async (context) => {
      const bytes = await write(tarFile);
      if (bytes === undefined) return context.skip(`missing: ${name.split(" ")[0]}`);
      const file = shop.path("layer.tar.gz");
      await writeFile(file, bytes);
      const image = name.replace(/[^a-z0-9]+/g, "-");
      await ok("append", "-q", "-f", file, "-t", `${registry.host}/${image}:1`);
      const { digest } = await layerOf(`${registry.host}/${image}:1`);
      assert.equal(digest, `sha256:${createHash("sha256").update(bytes).digest("hex")}`, "it is pushed as it is");
      await twice(image);
    });

  test("by crane, which is Go's", { skip: missing(["crane", crane]) }, async () => {
    await succeed([crane as string, "append", "--insecure", "-f", tarFile, "-t", `${registry.host}/go:1`]);
    await twice("go");
  });

  test("by dray, whose index is small", async () => {
    await ok("append", "-q", "-f", tarFile, "-t", `${registry.host}/own:1`);
    await twice("own");
    const { blobs } = JSON.parse(await ok("cache", "ls", "--cache_path", shop.path("cache-own"), "-o", "json"));
    const [size] = blobs.flatMap((each: { kind: string; size: number }) => (each.kind === "index" ? [each.size] : []));
    assert.ok(size < 10_000, `${size}`);
  });

  test("has a whole index, or none, after processes side by side of which some were killed", async () => {
    await ok("append", "-q", "-f", tarFile, "-t", `${registry.host}/killed:1`);
    const [place, file] = [shop.path("killed"), `${registry.host}/killed:1:/srv/40`];
    const { digest } = await layerOf(`${registry.host}/killed:1`);
    for (let round = 0; round < 3; round++) {
      await rm(join(place, digest), { force: true });
      const killed = Array.from({ length: 3 }, (_, i) => {
        const child = shop.start(["ls", "--cache_path", place, `${registry.host}/killed:1:/srv`]);
        setTimeout(() => child.kill("SIGKILL"), 200 + 150 * i + 70 * round);
        return once(child, "close");
      });
      const others = [0, 1].map(async () => {
        const { code, stdout, stderr } = await shop.dray(["cat", "--cache_path", place, file]);
        assert.deepEqual([code, stdout === files.get("srv/40"), stderr], [0, true, ""]);
      });
      await Promise.all([...killed, ...others]);
    }
    await rm(join(place, digest), { force: true });
    assert.equal(await ok("cat", "--cache_path", place, `${registry.host}/killed:1:/srv/27`), files.get("srv/27"));
    assert.ok((await readdir(place)).includes(`${digest}.index`));
  });
});
