/**
 * `npm run record`: asks the registries of the CNCF that are installed what a client may ask, and writes down what they answer. Values
 * that differ from time to time become names, by which the recorded registry puts its own in.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { temporaryFolder } from "../src/files/index.ts";
import { startDockerRegistry } from "../src/peers/index.ts";
import { type Answer, type Peer, peers, type Recording, takeOut, type Values } from "../src/recorded/answers.ts";

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const digestOf = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const unknown = digestOf("nobody has this");
const lost = "11111111-2222-4333-8444-555555555555";
const repository = "recorded/app";
const type = "application/vnd.oci.image.manifest.v1+json";

/** Differs each time and says nothing. */
const dropped = ["date", "connection", "keep-alive"];

class Recorder {
  readonly answers: Record<string, Answer> = {};
  readonly #origin: string;
  constructor(host: string) {
    this.#origin = `http://${host}`;
  }

  /** Asks, keeps the answer under a name, and says where it points to. */
  async ask(
    name: string | undefined,
    method: string,
    path: string,
    values: Values = {},
    sent: Sent = {},
  ): Promise<string> {
    const url = new URL(path, this.#origin);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const length = sent.body === undefined ? {} : { "content-length": String(Buffer.byteLength(sent.body)) };
    const asked = request(url, { method, headers: { ...length, ...sent.headers }, agent: false }, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (text: string) => (body += text));
      answer.on("error", () => {});
      answer.on("close", () => {
        const headers = answer.rawHeaders.flatMap((key, i): [string, string][] =>
          i % 2 === 0 && !dropped.includes(key.toLowerCase()) ? [[key, answer.rawHeaders[i + 1] ?? ""]] : [],
        );
        resolve({ status: answer.statusCode ?? 0, headers, body, ...(answer.complete ? {} : { cut: true }) });
      });
    });
    asked.on("error", reject);
    asked.setTimeout(2000, () => asked.destroy(new Error(`${method} ${path}: no answer`)));
    asked.end(sent.body);
    const { status, headers, body, ...cut } = await promise;
    const location = headers.find(([key]) => key.toLowerCase() === "location")?.[1] ?? "";
    const to = new URL(location, this.#origin);
    const known = {
      origin: this.#origin,
      host: url.host,
      repository,
      session: /\/uploads\/([^/?]+)/.exec(location)?.[1] ?? /\/uploads\/([^/?]+)/.exec(path)?.[1] ?? "",
      state: /[?&]_state=([^&]+)/.exec(location)?.[1] ?? "",
      ...values,
    };
    if (name !== undefined)
      this.answers[name] = {
        status,
        headers: headers.map(([key, value]) => [key, headerOf(key, value, known)]),
        body: takeOut(body, known).replace(/"(tags|repositories)":\[[^\]]*\]/, '"$1":{$1}'),
        ...cut,
      };
    return `${to.pathname}${to.search}`;
  }

  /** A whole blob. */
  async blob(name: string | undefined, text: string): Promise<void> {
    const digest = digestOf(text);
    const at = await this.ask(undefined, "POST", `/v2/${repository}/blobs/uploads/`);
    await this.ask(name, "PUT", withDigest(at, digest), { digest }, { body: text });
  }
}

const withDigest = (path: string, digest: string): string =>
  `${path}${path.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`;

/** Lengths and ranges are short numbers, which stand for themselves anywhere else. */
const headerOf = (key: string, value: string, values: Values): string => {
  const { size, range } = values;
  if (key.toLowerCase() === "content-length") return value === String(size) ? "{size}" : "{length}";
  if (key.toLowerCase() === "range" && range !== undefined) return "0-{range}";
  if (key.toLowerCase() === "content-range")
    return value.includes("*") ? "bytes */{size}" : "bytes {first}-{end}/{size}";
  return takeOut(value, Object.fromEntries(Object.entries(values).filter(([, one]) => typeof one === "string")));
};

const record = async (host: string): Promise<Recorder> => {
  const it = new Recorder(host);
  const at = `/v2/${repository}`;
  const octets = { "content-type": "application/octet-stream" };
  await it.ask("ping", "GET", "/v2/");
  await it.ask("unknown repository", "GET", `${at}/tags/list`);
  await it.ask("unknown tag", "GET", `${at}/manifests/none`, { tag: "none" });
  await it.ask("unknown manifest", "GET", `${at}/manifests/${unknown}`, { digest: unknown });
  await it.ask("unknown blob", "GET", `${at}/blobs/${unknown}`, { digest: unknown });
  await it.ask("no such page", "GET", `${at}/referrers/${unknown}`, { digest: unknown });
  await it.ask("invalid digest", "GET", `${at}/blobs/sha256:short`, { digest: "sha256:short" });

  const [config, layer] = ["{}", "what lies in a layer of an image"];
  const session = await it.ask("session begun", "POST", `${at}/blobs/uploads/`);
  await it.ask("session", "GET", session, { range: 0 });
  const half = layer.slice(0, 9);
  const chunk = { ...octets, "content-range": "0-8" };
  const next = await it.ask("chunk", "PATCH", session, { range: 8 }, { body: half, headers: chunk });
  await it.ask("stale session", "PATCH", session, {}, { body: half, headers: octets });
  const digest = digestOf(layer);
  await it.ask("blob taken", "PUT", withDigest(next, digest), { digest }, { body: layer.slice(9) });
  const begin = (): Promise<string> => it.ask(undefined, "POST", `${at}/blobs/uploads/`);
  const wrong = { ...octets, "content-range": "50-58" };
  await it.ask("chunk out of order", "PATCH", await begin(), { range: 8 }, { body: half, headers: wrong });
  const stateless = (await begin()).replace(/\?.*/, "");
  await it.ask("session without its state", "PATCH", stateless, {}, { body: half, headers: octets });
  const other = await begin();
  await it.ask("wrong digest", "PUT", withDigest(other, unknown), { digest: unknown, actual: digest }, { body: layer });
  const given = await begin();
  await it.ask("session given up", "DELETE", given);
  await it.ask("unknown session", "GET", given.replace(/uploads\/[^?]+/, `uploads/${lost}`), {});

  await it.ask("mounted", "POST", `/v2/recorded/second/blobs/uploads/?mount=${digest}&from=${repository}`, {
    repository: "recorded/second",
    digest,
  });
  const size = layer.length;
  await it.ask("blob", "GET", `${at}/blobs/${digest}`, { digest, size, content: layer });
  await it.ask(
    "part of a blob",
    "GET",
    `${at}/blobs/${digest}`,
    { digest, first: 4, end: 8, size, content: layer.slice(4, 9) },
    { headers: { range: "bytes=4-8" } },
  );
  await it.ask("no such part", "GET", `${at}/blobs/${digest}`, { digest, size }, { headers: { range: "bytes=900-" } });

  await it.blob(undefined, config);
  const describe = (mediaType: string, text: string): object => ({
    mediaType,
    digest: digestOf(text),
    size: text.length,
  });
  const manifestOf = (content: string): string =>
    JSON.stringify({
      schemaVersion: 2,
      mediaType: type,
      config: describe("application/vnd.oci.image.config.v1+json", config),
      layers: [describe("application/vnd.oci.image.layer.v1.tar", content)],
    });
  const manifest = manifestOf(layer);
  const root = digestOf(manifest);
  const put = { body: manifest, headers: { "content-type": type } };
  await it.ask("manifest taken", "PUT", `${at}/manifests/latest`, { digest: root, reference: "latest" }, put);
  for (const tag of ["1.0", "2.0"]) await it.ask(undefined, "PUT", `${at}/manifests/${tag}`, {}, put);
  await it.ask("manifest taken by another digest", "PUT", `${at}/manifests/${unknown}`, { digest: unknown }, put);
  const incomplete = { ...put, body: manifestOf("a layer that nobody pushed") };
  await it.ask(
    "manifest without its blobs",
    "PUT",
    `${at}/manifests/bad`,
    { missing: digestOf("a layer that nobody pushed") },
    incomplete,
  );
  await it.ask("invalid manifest", "PUT", `${at}/manifests/bad`, {}, { ...put, body: "{}" });
  await it.ask(
    "manifest",
    "GET",
    `${at}/manifests/latest`,
    { digest: root, size: manifest.length, type, content: manifest },
    { headers: { accept: type } },
  );

  await it.ask("tags", "GET", `${at}/tags/list`);
  await it.ask("page of tags", "GET", `${at}/tags/list?n=2`, { last: "last=2.0", count: "n=2" });
  await it.ask("repositories", "GET", "/v2/_catalog");
  await it.ask("tag deleted", "DELETE", `${at}/manifests/2.0`);
  await it.ask("manifest deleted", "DELETE", `${at}/manifests/${root}`, { digest: root });
  await it.ask("manifest deleted before", "DELETE", `${at}/manifests/${unknown}`, { digest: unknown });
  await it.ask("blob deleted", "DELETE", `${at}/blobs/${digest}`, { digest });
  await it.ask("blob deleted before", "DELETE", `${at}/blobs/${unknown}`, { digest: unknown });
  return it;
};

/** What somebody hears who did not say who they are. */
const recordChallenge = async (peer: Peer): Promise<Record<string, Answer>> => {
  const folder = temporaryFolder("record");
  const path = join(folder, "htpasswd");
  writeFileSync(path, "user:$2y$05$uQ0oZ2bS7xq6XqzvE2yTNecp8Wl6Pp5zMX4xX8V7ynuG2iZ2S0m0e\n");
  const registry = await startDockerRegistry({ peer, auth: { htpasswd: { realm: "recorded", path } } });
  try {
    if (registry === undefined) return {};
    const it = new Recorder(registry.host);
    await it.ask("challenge", "GET", "/v2/");
    await it.ask("refused", "GET", `/v2/${repository}/manifests/latest`);
    return it.answers;
  } finally {
    await registry?.close();
  }
};

for (const peer of peers) {
  const registry = await startDockerRegistry({ peer });
  if (registry === undefined) continue;
  try {
    const { answers } = await record(registry.host);
    const recording: Recording = {
      version: registry.version,
      answers: { ...answers, ...(await recordChallenge(peer)) },
    };
    writeFileSync(
      new URL(`../src/recorded/${peer}.json`, import.meta.url),
      `${JSON.stringify(recording, undefined, 2)}\n`,
    );
    console.log(`${peer}: ${registry.version}, ${Object.keys(recording.answers).length} answers`);
  } finally {
    await registry.close();
  }
}
