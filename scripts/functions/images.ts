/** Images as plain requests: what is counted is not fed by itself. */
import { createHash, randomBytes } from "node:crypto";
import { Agent, request } from "node:http";

export interface Answer {
  readonly status: number;
  readonly location: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** One request, its answer's body read to the end. @throws Error for an answer of 400 or more */
export const ask = (method: string, url: string, body?: Uint8Array, type?: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const headers = {
      ...(body === undefined ? {} : { "content-length": body.byteLength }),
      ...(type === undefined ? {} : { "content-type": type }),
      accept: "*/*",
    };
    const asked = request(url, { method, headers, agent }, (answer) => {
      const status = answer.statusCode ?? 0;
      answer.resume();
      answer.once("error", reject);
      answer.once("end", () => {
        if (status >= 400) return reject(new Error(`${method} ${url}: ${status}`));
        resolve({ status, location: new URL(answer.headers.location ?? "/", url).href });
      });
    });
    asked.once("error", reject);
    asked.end(body);
  });

export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

export const manifestType = "application/vnd.oci.image.manifest.v1+json";

/** Opens a session and gives the address that takes the blob. */
export const session = async (repository: string, digest: string): Promise<string> => {
  const { location } = await ask("POST", `${repository}/blobs/uploads/`);
  return `${location}${location.includes("?") ? "&" : "?"}digest=${digest}`;
};

/** Pushes one blob and says where it lies. */
export const pushBlob = async (repository: string, bytes: Uint8Array): Promise<string> => {
  const digest = digestOf(bytes);
  await ask("PUT", await session(repository, digest), bytes);
  return digest;
};

/** A tar of one file of random bytes. */
const tarOf = (size: number): Uint8Array => {
  const header = Buffer.alloc(512);
  header.write("file", 0, "latin1");
  header.write("0000644\0", 100, "latin1");
  header.write("0000000\0", 108, "latin1");
  header.write("0000000\0", 116, "latin1");
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  header.write("00000000000\0", 136, "latin1");
  header.write("        0", 148, "latin1");
  header.write("ustar\u000000", 257, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return Buffer.concat([header, randomBytes(size), Buffer.alloc((-size & 511) + 1024)]);
};

/** An image of a large and a small layer, both uncompressed tars: its blobs are there, its manifest is not. */
export const pushContent = async (repository: string, large: number): Promise<Uint8Array> => {
  const layers = [tarOf(large), tarOf(10_000)];
  for (const layer of layers) await pushBlob(repository, layer);
  const config = Buffer.from(
    JSON.stringify({
      os: "linux",
      architecture: "amd64",
      config: {},
      rootfs: { type: "layers", diff_ids: layers.map(digestOf) },
    }),
  );
  await pushBlob(repository, config);
  const describe = (mediaType: string, bytes: Uint8Array): object => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.byteLength,
  });
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: describe("application/vnd.oci.image.config.v1+json", config),
      layers: layers.map((layer) => describe("application/vnd.oci.image.layer.v1.tar", layer)),
    }),
  );
};

/** A whole image under a tag. */
export const pushImage = async (repository: string, tag: string, large: number): Promise<void> => {
  const manifest = await pushContent(repository, large);
  await ask("PUT", `${repository}/manifests/${tag}`, manifest, manifestType);
};
