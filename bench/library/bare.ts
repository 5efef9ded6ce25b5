/**
 * What the runtime itself takes: the least that copies, pulls or validates an image, by node:http, node:crypto and node:zlib alone, in one
 * thread. It knows no logins, no redirects, no TLS, no second attempt and no damage but a wrong digest.
 * @example node bare.ts cp http://HOST/bench/image http://HOST/bench/image
 */
import { createHash, type Hash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { Agent, type IncomingMessage, type RequestOptions, request } from "node:http";
import { join } from "node:path";
import { PassThrough, type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

const agent = new Agent({ keepAlive: true });
const accept = "application/vnd.oci.image.manifest.v1+json";

const ask = (url: string, options: RequestOptions = {}, body?: Readable | Uint8Array): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const asked = request(url, { agent, ...options }, resolve).on("error", reject);
    if (body === undefined || body instanceof Uint8Array) asked.end(body);
    else void pipeline(body, asked).catch(reject);
  });

const got = async (url: string, headers = {}): Promise<IncomingMessage> => {
  const response = await ask(url, { headers });
  if (response.statusCode !== 200) throw new Error(`GET ${url}: ${response.statusCode}`);
  return response;
};

const expectStatus = async (response: IncomingMessage, status: number): Promise<IncomingMessage> => {
  for await (const _ of response);
  if (response.statusCode !== status) throw new Error(`${response.statusCode} instead of ${status}`);
  return response;
};

interface Blob {
  readonly digest: string;
  readonly size: number;
}

const manifestOf = async (from: string): Promise<{ bytes: Uint8Array; config: Blob; layers: Blob[] }> => {
  const bytes = Buffer.concat(await (await got(`${from}/manifests/latest`, { accept })).toArray());
  return { bytes, ...JSON.parse(bytes.toString()) };
};

const fourAtOnce = async <T>(items: readonly T[], work: (item: T, i: number) => Promise<void>): Promise<void> => {
  const left = items.entries();
  const worker = async (): Promise<void> => {
    for (const [i, item] of left) await work(item, i);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
};

const hashing = (hash: Hash): Transform =>
  new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });

const same = (hash: Hash, digest: string): void => {
  if (`sha256:${hash.digest("hex")}` !== digest) throw new Error(`${digest} is damaged`);
};

/** The registry compares the digests. */
const cp = async (from: string, to: string): Promise<void> => {
  const { bytes, config, layers } = await manifestOf(from);
  await fourAtOnce([...layers, config], async ({ digest, size }) => {
    for await (const _ of await ask(`${to}/blobs/${digest}`, { method: "HEAD" }));
    const begun = await expectStatus(await ask(`${to}/blobs/uploads/`, { method: "POST" }), 202);
    const place = new URL(begun.headers.location as string, to);
    place.searchParams.set("digest", digest);
    const headers = { "content-length": size, "content-type": "application/octet-stream" };
    const body = await got(`${from}/blobs/${digest}`);
    await expectStatus(await ask(place.href, { method: "PUT", headers }, body), 201);
  });
  const headers = { "content-length": bytes.byteLength, "content-type": accept };
  await expectStatus(await ask(`${to}/manifests/latest`, { method: "PUT", headers }, bytes), 201);
};

const pull = async (from: string, dir: string): Promise<void> => {
  const { bytes, config, layers } = await manifestOf(from);
  const blobs = join(dir, "blobs/sha256");
  await mkdir(blobs, { recursive: true });
  await fourAtOnce([...layers, config], async ({ digest }) => {
    const hash = createHash("sha256");
    await pipeline(
      await got(`${from}/blobs/${digest}`),
      hashing(hash),
      createWriteStream(join(blobs, digest.slice(7))),
    );
    same(hash, digest);
  });
  const digest = createHash("sha256").update(bytes).digest("hex");
  const root = { mediaType: accept, digest: `sha256:${digest}`, size: bytes.byteLength };
  await writeFile(join(blobs, digest), bytes);
  await writeFile(join(dir, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [root] }));
  await writeFile(join(dir, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
};

const validate = async (from: string): Promise<void> => {
  const { config, layers } = await manifestOf(from);
  const configured = Buffer.concat(await (await got(`${from}/blobs/${config.digest}`)).toArray());
  same(createHash("sha256").update(configured), config.digest);
  const { rootfs } = JSON.parse(configured.toString()) as { rootfs: { diff_ids: string[] } };
  await fourAtOnce(layers, async ({ digest }, i) => {
    const [outside, inside] = [createHash("sha256"), createHash("sha256")];
    const discard = new PassThrough().resume();
    await pipeline(await got(`${from}/blobs/${digest}`), hashing(outside), createGunzip(), hashing(inside), discard);
    same(outside, digest);
    same(inside, rootfs.diff_ids[i] as string);
  });
};

const [work, from, to] = process.argv.slice(2) as [string, string, string];
await (work === "cp" ? cp(from, to) : work === "pull" ? pull(from, to) : validate(from));
agent.destroy();
