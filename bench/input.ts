/** The images that are measured: made once, here, from nothing but this machine's own files, as OCI layouts and docker-archives. */
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createGzip } from "node:zlib";

const run = promisify(execFile);
const MiB = 1024 * 1024;

export interface Input {
  readonly name: string;
  /** An OCI layout with one entry, `latest`, or as many as there are roots. */
  readonly layout: string;
  /** Bytes of all blobs. */
  readonly bytes: number;
}

/** Where inputs lie. */
export const home: string = fileURLToPath(new URL("./.input/", import.meta.url));

/** 8 layers of 64 MiB that cannot be compressed. */
export const random512 = (): Promise<Input> =>
  input("random-512M", (dir) => imageOf(dir, 8, (path) => randomFile(path, 64 * MiB)));

/** One layer of 3 GiB and one of 1 GiB. */
export const random4g = (): Promise<Input> =>
  input("random-4G", (dir) => imageOf(dir, 2, (path, i) => randomFile(path, i === 0 ? 3072 * MiB : 1024 * MiB)));

/** 40 layers, 300 MiB of this system's own files. */
export const files40 = (): Promise<Input> =>
  input("files-40", async (dir) => {
    const shares = await systemFiles(40, 7.5 * MiB);
    return imageOf(dir, 40, async (_path, i, tar) => {
      await writeFile(`${tar}.list`, (shares[i] as string[]).join("\0"));
      await run("tar", ["cf", tar, "--null", "--no-recursion", "--sort=name", "-T", `${tar}.list`, "-P"]);
      await rm(`${tar}.list`);
    });
  });

/** One layer, 100 MiB of this system's own files. */
export const files100 = (): Promise<Input> =>
  input("files-100M", async (dir) => {
    const [share = []] = await systemFiles(1, 100 * MiB);
    return imageOf(dir, 1, async (_path, _i, tar) => {
      await writeFile(`${tar}.list`, share.join("\0"));
      await run("tar", ["cf", tar, "--null", "--no-recursion", "--sort=name", "-T", `${tar}.list`, "-P"]);
      await rm(`${tar}.list`);
    });
  });

/** One uncompressed tar, 300 MiB of this system's own files. */
export const tar300 = async (): Promise<string> => {
  const file = join(home, "files-300M.tar");
  await once(file, async (part) => {
    const [share = []] = await systemFiles(1, 300 * MiB);
    await writeFile(`${part}.list`, share.join("\0"));
    await run("tar", ["cf", part, "--null", "--no-recursion", "--sort=name", "-T", `${part}.list`, "-P"]);
    await rm(`${part}.list`);
  });
  return file;
};

/** 8 layers of 64 MiB of text, which gzip makes a third of. */
export const text512 = (): Promise<Input> =>
  input("text-512M", (dir) => imageOf(dir, 8, (path, i) => textFile(path, 64 * MiB, i)));

/** An index of 4 platforms, 4 layers of 8 MiB each. */
export const platforms4 = (): Promise<Input> =>
  input("platforms-4", async (dir) => {
    const images = [];
    for (const architecture of ["amd64", "arm64", "s390x", "ppc64le"])
      images.push({ architecture, manifest: await imageOf(dir, 4, (path) => randomFile(path, 8 * MiB), architecture) });
    return indexOf(dir, images);
  });

/** An index of images for Linux. */
export const indexOf = (
  dir: string,
  images: readonly { readonly architecture: string; readonly manifest: Descriptor }[],
): Promise<Descriptor> => {
  const manifests = images.map(({ architecture, manifest }) => ({
    ...manifest,
    platform: { os: "linux", architecture },
  }));
  return putJson(dir, { schemaVersion: 2, mediaType: types.index, manifests }, types.index);
};

/** A docker-archive of 8 uncompressed layers, 512 MiB of text in all. */
export const textArchive = async (): Promise<{ readonly file: string; readonly bytes: number }> => {
  const file = join(home, "text-512M.tar");
  await once(file, async (part) => {
    const dir = `${part}.d`;
    await rm(dir, { recursive: true, force: true });
    await mkdir(dir, { recursive: true });
    const layers: string[] = [];
    const ids: string[] = [];
    for (let i = 0; i < 8; i++) {
      const tar = join(dir, "layer.tmp");
      await tarOf(dir, tar, (path) => textFile(path, 64 * MiB, i));
      const hex = await sha256(tar);
      ids.push(`sha256:${hex}`);
      layers.push(`${hex}.tar`);
      await rename(tar, join(dir, `${hex}.tar`));
    }
    const config = JSON.stringify(configOf("amd64", ids));
    const name = `${createHash("sha256").update(config).digest("hex")}.json`;
    await writeFile(join(dir, name), config);
    await writeFile(
      join(dir, "manifest.json"),
      JSON.stringify([{ Config: name, RepoTags: ["bench/text:latest"], Layers: layers }]),
    );
    await run("tar", ["cf", part, "-C", dir, name, ...layers, "manifest.json"]);
    await rm(dir, { recursive: true });
  });
  return { file, bytes: (await stat(file)).size };
};

const types = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
};

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** A layout, made once. Several roots are called `v0`, `v1` … */
export const input = async (
  name: string,
  make: (dir: string) => Promise<Descriptor | readonly Descriptor[]>,
): Promise<Input> => {
  const layout = join(home, name);
  await once(layout, async (dir) => {
    await mkdir(join(dir, "blobs/sha256"), { recursive: true });
    const roots = [await make(dir)].flat();
    const manifests = roots.map((root, i) => ({
      ...root,
      annotations: { "org.opencontainers.image.ref.name": roots.length === 1 ? "latest" : `v${i}` },
    }));
    await writeFile(join(dir, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
    await writeFile(join(dir, "index.json"), JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests }));
  });
  let bytes = 0;
  for (const blob of await readdir(join(layout, "blobs/sha256")))
    bytes += (await stat(join(layout, "blobs/sha256", blob))).size;
  return { name, layout, bytes };
};

/** Made under another name first, so that an interrupted run leaves nothing that looks complete. */
export const once = async (path: string, make: (part: string) => Promise<void>): Promise<void> => {
  if (
    await stat(path).then(
      () => true,
      () => false,
    )
  )
    return;
  process.stderr.write(`making ${path.slice(home.length)} …\n`);
  await mkdir(home, { recursive: true });
  const part = `${path}.part`;
  await rm(part, { recursive: true, force: true });
  await make(part);
  await rename(part, path);
};

type MakeLayer = (path: string, i: number, tar: string) => Promise<void>;

const imageOf = async (dir: string, layers: number, make: MakeLayer, architecture = "amd64"): Promise<Descriptor> => {
  const made: Layer[] = [];
  for (let i = 0; i < layers; i++)
    made.push(
      await layerOf(dir, async (tar) => {
        if (make.length === 3) await make("", i, tar);
        else await tarOf(dir, tar, (path) => make(path, i, tar));
      }),
    );
  return manifestOf(dir, made, { architecture });
};

/** A layer as a manifest names it, and as a configuration does. */
export interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId: string;
}

const layerOf = async (dir: string, make: (tar: string) => Promise<void>): Promise<Layer> => {
  const tar = join(dir, "layer.tar");
  await make(tar);
  const diffId = `sha256:${await sha256(tar)}`;
  await pipeline(
    createReadStream(tar, { highWaterMark: MiB }),
    createGzip({ level: 6, chunkSize: MiB }),
    createWriteStream(`${tar}.gz`),
  );
  await rm(tar);
  return { descriptor: await putFile(dir, `${tar}.gz`, types.layer), diffId };
};

/** A layer that cannot be compressed. */
export const randomLayer = (dir: string, size: number): Promise<Layer> =>
  layerOf(dir, (tar) => tarOf(dir, tar, (path) => randomFile(path, size)));

/** An image of layers that there are. */
export const manifestOf = async (
  dir: string,
  layers: readonly Layer[],
  { architecture = "amd64", ...more }: { readonly architecture?: string; readonly config?: object } = {},
): Promise<Descriptor> => {
  const ids = layers.map(({ diffId }) => diffId);
  const config = await putJson(dir, { ...configOf(architecture, ids), ...more }, types.config);
  const descriptors = layers.map(({ descriptor }) => descriptor);
  return putJson(dir, { schemaVersion: 2, mediaType: types.manifest, config, layers: descriptors }, types.manifest);
};

const configOf = (architecture: string, ids: readonly string[]): object => ({
  architecture,
  os: "linux",
  config: {},
  rootfs: { type: "layers", diff_ids: ids },
  history: ids.map(() => ({ created_by: "bench" })),
});

const putJson = async (dir: string, value: object, mediaType: string): Promise<Descriptor> => {
  const path = join(dir, "document.tmp");
  await writeFile(path, JSON.stringify(value));
  return putFile(dir, path, mediaType);
};

const putFile = async (dir: string, path: string, mediaType: string): Promise<Descriptor> => {
  const hex = await sha256(path);
  const { size } = await stat(path);
  await rename(path, join(dir, "blobs/sha256", hex));
  return { mediaType, digest: `sha256:${hex}`, size };
};

export const sha256 = async (path: string): Promise<string> => {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: MiB })) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
};

const tarOf = async (dir: string, tar: string, make: (path: string) => Promise<void>): Promise<void> => {
  const content = join(dir, "content");
  await make(content);
  await run("tar", ["cf", tar, "--mtime=@0", "--owner=0", "--group=0", "-C", dir, "content"]);
  await rm(content);
};

const fill = async (path: string, size: number, block: (i: number) => Uint8Array): Promise<void> => {
  const blocks = function* (): Generator<Uint8Array> {
    for (let at = 0, i = 0; at < size; i++, at += MiB) yield block(i).subarray(0, size - at);
  };
  await pipeline(blocks, createWriteStream(path));
};

export const randomFile = (path: string, size: number): Promise<void> => fill(path, size, () => randomBytes(MiB));

/** Lines of words, as logs and sources have them: gzip makes about a third of it. */
const textFile = async (path: string, size: number, seed: number): Promise<void> => {
  const words = (
    await readFile("/usr/share/common-licenses/GPL-3", "latin1").catch(
      () => "container image layer registry manifest digest",
    )
  ).split(/\s+/);
  let state = seed + 1;
  const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8;
  await fill(path, size, () => {
    let text = "";
    while (text.length < MiB)
      text += `${words[next() % words.length]}${next() % 12 === 0 ? `\n${next() % 100000} ` : " "}`;
    return Buffer.from(text.slice(0, MiB), "latin1");
  });
};

/** The system's files, in order of their names, dealt into shares of a size. */
const systemFiles = async (shares: number, size: number): Promise<string[][]> => {
  const dealt: string[][] = [[]];
  let filled = 0;
  const { stdout } = await run(
    "find",
    ["/usr/lib", "/usr/share", "/usr/bin", "-xdev", "-type", "f", "-size", "-4096k", "-printf", "%s %p\\n"],
    {
      maxBuffer: 512 * MiB,
    },
  );
  for (const line of stdout
    .trim()
    .split("\n")
    .sort((a, b) => (a.slice(a.indexOf(" ")) < b.slice(b.indexOf(" ")) ? -1 : 1))) {
    const space = line.indexOf(" ");
    if (filled >= size) {
      if (dealt.length === shares) break;
      dealt.push([]);
      filled = 0;
    }
    (dealt.at(-1) as string[]).push(line.slice(space + 1));
    filled += Number(line.slice(0, space));
  }
  return dealt;
};
