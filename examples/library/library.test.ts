import assert from "node:assert/strict";
import { createReadStream, existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  googleListing,
  type Listener,
  listen,
  type MemoryRegistry,
  memoryRegistry,
  put,
  sampleArtifact,
  sampleImage,
  sampleIndex,
  tar,
  tokenServer,
} from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import {
  collect,
  connect,
  copy,
  digestOf,
  dockerArchive,
  isDrayError,
  type Keychain,
  layoutStore,
  open,
  openImage,
  readEntries,
  readFile as readImageFile,
  staticCredential,
  validate,
} from "dray";
import { mediaTypes } from "dray/oci";
import { letsIn, ourKeychain } from "./authn.ts";
import { githubKeychain } from "./authn-github.ts";
import { pullSecrets } from "./authn-kubernetes.ts";
import { release } from "./cache.ts";
import { differences } from "./compare.ts";
import { zstdLayer } from "./compression.ts";
import { addFiles, exported } from "./crane.ts";
import { pushSaved } from "./daemon.ts";
import { pushProgram } from "./empty.ts";
import { mirror } from "./gcrane.ts";
import { goNames } from "./go-names.ts";
import { googleKeychain, uploadTimes } from "./google.ts";
import { keep } from "./layout.ts";
import { saveLegacy } from "./legacy.ts";
import { fetchLoudly } from "./logs.ts";
import { linuxOnly } from "./match.ts";
import { harden } from "./mutate.ts";
import { spellings } from "./name.ts";
import { publishFrom } from "./partial.ts";
import { pushRandom } from "./random.ts";
import { rebase } from "./rebase.ts";
import { pushedTags } from "./registry.ts";
import { tidy } from "./remote.ts";
import { publish } from "./static.ts";
import { appendStream } from "./stream.ts";
import { save } from "./tarball.ts";
import { reach } from "./transport.ts";
import { kindOf } from "./types.ts";
import { described } from "./v1.ts";
import { faults as faultsOf } from "./validate.ts";

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const files = tar([
  { path: "etc/os-release", kind: "file", bytes: text("ID=sample\n") },
  { path: "bin/hello", kind: "file", bytes: text("#!/bin/sh\n") },
]);
const index = sampleIndex({ platforms: ["linux/amd64", "linux/arm64"], image: { tars: [files] }, attestations: true });
const [amd64, arm64] = index.images;
const users = { ann: "secret" };

let registry: MemoryRegistry;
let server: Listener;
/** `team/app:1.0`, and whatever the examples add to it. */
let app: string;

before(async () => {
  registry = memoryRegistry();
  put(registry, "team/app", "1.0", index);
  server = await listen(registry.handler);
  app = `${server.host}/team/app`;
});
after(() => server.close());

/** Everything that a tag stands for is there, and right. */
const isWhole = async (location: string): Promise<void> => {
  const { store, name } = await open(location);
  assert.deepEqual((await validate(store, await store.resolve(name))).findings, []);
};

describe("references and views", () => {
  test("name", () => {
    assert.deepEqual(spellings("docker.io/library/alpine"), {
      full: "docker.io/library/alpine:latest",
      short: "alpine",
      exact: "docker.io/library/alpine:latest",
    });
    const exact = `registry.example/team/app@${index.root.digest}`;
    assert.equal(spellings(`team/app:1.0@${index.root.digest}`)["exact"], exact);
    assert.match(spellings("team//app")["wrong"] ?? "", /empty component/);
  });

  test("v1", async () => {
    const { digest, env, layers } = (await described(`${app}:1.0`)) as Record<string, unknown>;
    assert.equal(digest, arm64?.root.digest);
    assert.deepEqual(env, ["PATH=/usr/bin:/bin"]);
    const [layer] = arm64?.layers ?? [];
    assert.deepEqual(layers, [{ type: mediaTypes.ociLayerGzip, size: layer?.size, diffID: digestOf(files) }]);
  });

  test("types", () => {
    const { ociIndex, dockerManifest, ociEmpty, ociLayerZstd, dockerForeignLayer, ociConfig } = mediaTypes;
    assert.deepEqual([ociIndex, dockerManifest, ociEmpty, ociLayerZstd, dockerForeignLayer, ociConfig].map(kindOf), [
      "index",
      "image",
      "nothing",
      "layer (zstd)",
      "layer (gzip)",
      "something else",
    ]);
  });

  test("match", async () => {
    const both = sampleIndex({ seed: "both", platforms: ["windows/amd64", "linux/arm64"], attestations: true });
    put(registry, "team/app", "both", both);
    const digest = await linuxOnly(`${app}:both`, "linux");
    const kept = JSON.parse(Buffer.from(registry.manifest("team/app", digest)?.bytes ?? "").toString()) as {
      manifests: { digest: string; annotations?: Record<string, string> }[];
    };
    const [linux, attestation, ...more] = kept.manifests;
    assert.equal(linux?.digest, both.images[1]?.root.digest);
    assert.equal(attestation?.annotations?.["vnd.docker.reference.digest"], linux?.digest);
    assert.deepEqual(more, []);
    await isWhole(`${app}:linux`);
  });

  test("compare", async () => {
    put(registry, "team/app", "gzip", sampleImage({ seed: "c" }));
    put(registry, "team/app", "zstd", sampleImage({ seed: "c", compression: "zstd" }));
    const types = await differences(`${app}:gzip`, `${app}:zstd`);
    assert.deepEqual(
      types.map((line) => line.split(":")[0]),
      ["layers[0].mediaType", "layers[1].mediaType"],
    );
    assert.deepEqual(await differences(`${app}:gzip`, `${app}:gzip`), []);
  });
});

describe("images made and changed", () => {
  test("empty", async () => {
    const digest = await pushProgram(`${app}:program`, text("#!/bin/true\n"));
    assert.equal(registry.manifest("team/app", "program")?.digest, digest);
    const image = await openImage(`${app}:program`);
    assert.deepEqual((await image.config()).config?.Entrypoint, ["/app"]);
    assert.equal(Buffer.from(await readImageFile(image, "/app")).toString(), "#!/bin/true\n");
    await isWhole(`${app}:program`);
  });

  test("random", async () => {
    const [one, again] = [await pushRandom(`${app}:random`, "seed"), await pushRandom(`${app}:again`, "seed")];
    assert.equal(one, again);
    assert.equal(registry.manifest("team/app", "random")?.digest, one);
    await isWhole(`${app}:random`);
  });

  test("static", async () => {
    const digest = await publish(`${app}:policy`, "application/vnd.example.policy", text("allow all"));
    const { layers, artifactType } = JSON.parse(
      Buffer.from(registry.manifest("team/app", "policy")?.bytes ?? "").toString(),
    ) as { layers: { digest: string }[]; artifactType: string };
    assert.equal(registry.manifest("team/app", "policy")?.digest, digest);
    assert.equal(artifactType, "application/vnd.example.policy");
    assert.deepEqual(
      layers.map((layer) => layer.digest),
      [digestOf(text("allow all"))],
    );
  });

  test("partial", async () => {
    const bytes = new Map<string, Uint8Array>(index.blobs);
    for (const [digest, manifest] of index.manifests) bytes.set(digest, manifest.bytes);
    const database = {
      tag: async (name: string) => (name === "v1" ? index.root : undefined),
      bytes: async (digest: string) => bytes.get(digest),
    };
    assert.equal(await publishFrom(database, "v1", `${server.host}/from/database:v1`), index.root.digest);
    await isWhole(`${server.host}/from/database:v1`);
    await assert.rejects(publishFrom(database, "v2", `${app}:v2`), (error) => isDrayError(error, "NOT_FOUND"));
  });

  test("mutate", async () => {
    const uploads = registry.log.count({ method: "POST", target: "/blobs/uploads/" });
    assert.equal(registry.manifest("team/app", "hard")?.digest, undefined);
    const digest = await harden(`${app}:1.0`, "hard");
    assert.equal(registry.manifest("team/app", "hard")?.digest, digest);
    assert.equal(registry.log.count({ method: "POST", target: "/blobs/uploads/" }) - uploads, 2);
    for (const platform of ["linux/amd64", "linux/arm64"]) {
      const { config } = await (await openImage(`${app}:hard`, { platform })).config();
      assert.equal(config?.User, "65532");
      assert.equal(config?.Labels?.["org.example.hardened"], "yes");
    }
    await isWhole(`${app}:hard`);
  });

  test("rebase", async () => {
    const base = (tag: string) => {
      const release = tar([{ path: "etc/release", kind: "file", bytes: text(tag) }]);
      return sampleIndex({ seed: tag, platforms: ["linux/amd64", "linux/arm64"], image: { tars: [release] } });
    };
    for (const tag of ["1", "2"]) put(registry, "team/base", tag, base(tag));
    const [one, two] = ["1", "2"].map((tag) => `${server.host}/team/base:${tag}`) as [string, string];
    await addFiles(one, `${app}:on1`, { "srv/app": text("app") }, ["/srv/app"]);
    const digest = await rebase(`${app}:on1`, one, two, "on2");
    assert.equal(registry.manifest("team/app", "on2")?.digest, digest);
    for (const platform of ["linux/amd64", "linux/arm64"]) {
      const image = await openImage(`${app}:on2`, { platform });
      assert.equal(Buffer.from(await readImageFile(image, "etc/release")).toString(), "2");
      assert.equal(Buffer.from(await readImageFile(image, "srv/app")).toString(), "app");
      assert.equal((await image.manifest()).annotations?.["org.opencontainers.image.base.name"], two);
    }
    await isWhole(`${app}:on2`);
  });

  test("stream", async () => {
    const more = tar([{ path: "srv/data", kind: "file", bytes: text("data") }]);
    async function* pipe(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < more.byteLength; at += 700) yield more.subarray(at, at + 700);
    }
    assert.equal(await appendStream(`${app}:1.0`, pipe(), "streamed"), digestOf(more));
    for (const platform of ["linux/amd64", "linux/arm64"]) {
      const image = await openImage(`${app}:streamed`, { platform });
      assert.equal(Buffer.from(await readImageFile(image, "srv/data")).toString(), "data");
    }
    await isWhole(`${app}:streamed`);
  });

  test("crane", async () => {
    await addFiles(`${app}:1.0`, `${app}:files`, { "etc/motd": text("hi\n"), "srv/a": text("a") }, ["/bin/hello"]);
    const names = [];
    for await (const { name } of readEntries(exported(`${app}:files`, "linux/arm64"))) names.push(name);
    assert.deepEqual(names.sort(), ["bin/hello", "etc/motd", "etc/os-release", "srv/a"]);
    await isWhole(`${app}:files`);
  });

  test("compression", async () => {
    const folder = join(temporaryFolder("library-zstd"), "public");
    await mkdir(folder);
    await writeFile(join(folder, "index.html"), "<p>hello");
    const { mediaType, digest } = (await zstdLayer(folder, `${app}:any`)) as { mediaType: string; digest: string };
    assert.equal(mediaType, mediaTypes.ociLayerZstd);
    const kept = registry.blob("team/app", digest as never)?.content;
    assert.ok(kept);
    const bytes = await collect(kept.open(), 1e6, "the layer");
    assert.deepEqual([...bytes.subarray(0, 4)], [0x28, 0xb5, 0x2f, 0xfd]);
  });

  test("validate", async () => {
    assert.deepEqual(await faultsOf(`${app}:1.0`), []);
    const lying = sampleImage({
      config: { rootfs: { type: "layers", diff_ids: [digestOf(text("other"))] } },
      layers: 1,
    });
    put(registry, "team/app", "lying", lying);
    const found = await faultsOf(`${app}:lying`);
    assert.equal(found.length, 1);
    assert.match(found[0] ?? "", /diffID/);
  });
});

describe("places", () => {
  test("tarball", async () => {
    const file = join(temporaryFolder("library-tar"), "images.tar");
    put(registry, "team/other", "2", sampleImage({ seed: "other" }));
    const names = await save([`${app}:1.0`, `${server.host}/team/other:2`], file);
    assert.deepEqual([...names].sort(), [`${app}:1.0`, `${server.host}/team/other:2`]);
    const archive = dockerArchive(file);
    for (const name of names) assert.deepEqual((await validate(archive, await archive.resolve(name))).findings, []);
  });

  test("legacy", async () => {
    const file = join(temporaryFolder("library-legacy"), "image.tar");
    assert.deepEqual(await saveLegacy(`${app}:1.0`, file), [`${app}:1.0`]);
    const entries = [];
    for await (const { name } of readEntries(createReadStream(file))) entries.push(name);
    assert.ok(entries.includes("repositories") && entries.some((name) => name.endsWith("/layer.tar")));
  });

  test("daemon", async () => {
    const file = join(temporaryFolder("library-daemon"), "saved.tar");
    await copy(
      await open(`${app}:1.0`),
      { store: dockerArchive(file), name: "app:1", location: file },
      {
        platforms: ["linux/amd64"],
      },
    );
    const digest = await pushSaved(createReadStream(file), `${app}:saved`);
    assert.equal(registry.manifest("team/app", "saved")?.digest, digest);
    const { rootfs } = await (await openImage(`${app}:saved`)).config();
    assert.deepEqual(rootfs?.diff_ids, [digestOf(files)]);
  });

  test("layout", async () => {
    const directory = join(temporaryFolder("library-layout"), "mirror");
    const layout = layoutStore(directory);
    await copy(await open(`${app}:1.0`), { store: layout, name: "old", location: directory });
    assert.deepEqual(await keep(`${app}:1.0`, directory, "app:1.0", "old"), ["app:1.0"]);
    const kept = JSON.parse(await readFile(join(directory, "index.json"), "utf8")) as { manifests: unknown[] };
    assert.equal(kept.manifests.length, 1);
    assert.equal((await layoutStore(directory).resolve("app:1.0")).digest, index.root.digest);
  });

  test("cache", async () => {
    const directory = temporaryFolder("library-cache");
    const asked = (): number => registry.log.count({ method: "GET", target: "/team/cached/blobs/" });
    put(registry, "team/cached", "1.0", sampleImage({ tars: [files] }));
    assert.equal(await release(`${server.host}/team/cached:1.0`, directory), "ID=sample\n");
    const before = asked();
    assert.ok(before > 0);
    assert.equal(await release(`${server.host}/team/cached:1.0`, directory), "ID=sample\n");
    assert.equal(asked(), before);
  });
});

describe("registries", () => {
  test("remote", async () => {
    put(registry, "team/tidy", "1.2", sampleImage({ seed: "1.2" }));
    for (const tag of ["1.9", "1.10", "1.11"]) put(registry, "team/tidy", tag, sampleImage({ seed: tag }));
    const subject = sampleImage({ seed: "1.2" }).root;
    put(registry, "team/tidy", undefined, sampleArtifact({ subject }));
    const own = connect(server.host, { ambient: false });
    assert.deepEqual(await tidy(own, "team/tidy", 2), ["1.9"]);
    assert.deepEqual(registry.tags("team/tidy"), ["1.10", "1.11", "1.2"]);
    await own.close();
  });

  test("transport", async () => {
    const tokens = tokenServer({ users });
    const realm = await listen(tokens.handler);
    const locked = memoryRegistry({ access: { scheme: "bearer", tokens, realm: `${realm.origin}/token` } });
    const locks = await listen(locked.handler);
    const { host } = locks;
    const withPassword = (password: string) => ({
      ambient: false,
      credentials: staticCredential({ username: "ann", password, source: "test" }, host),
    });
    const { said, asked } = await reach(host, withPassword("secret"));
    assert.equal(said, "welcome");
    assert.deepEqual(asked.slice(0, 3), ["GET /v2/ 401", "GET /token 200", "GET /v2/ 200"]);
    assert.equal((await reach(host, withPassword("wrong"))).said, "UNAUTHORIZED");
    await locks.close();
    assert.equal((await reach(host, { ambient: false })).said, "NETWORK");
    await realm.close();
  });

  test("authn", async () => {
    const locked = memoryRegistry({ access: { scheme: "basic", users } });
    const locks = await listen(locked.handler);
    const { host } = locks;
    const env = {
      DRAY_REGISTRY_HOSTNAME: host,
      DRAY_REGISTRY_USERNAME: "ann",
      DRAY_REGISTRY_PASSWORD: "secret",
      DOCKER_CONFIG: "/nowhere",
    };
    const nothing: Keychain = async () => undefined;
    const wrong: Keychain = async () => ({ username: "ann", password: "old", source: "vault" });
    assert.equal(await letsIn(host, ourKeychain(nothing, env)), true);
    assert.equal(await letsIn(host, ourKeychain(wrong, env)), false);
    await locks.close();
  });

  test("authn-github", async () => {
    const keychain = githubKeychain({ GITHUB_TOKEN: "secret", GITHUB_ACTOR: "ann" });
    const found = await keychain({ registry: "ghcr.io" });
    assert.deepEqual([found?.username, found?.password], ["ann", "secret"]);
    assert.equal(await keychain({ registry: "example.com" }), undefined);
    assert.equal(await githubKeychain({})({ registry: "ghcr.io" }), undefined);
  });

  test("authn-kubernetes", async () => {
    const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");
    const auth = Buffer.from("ann:secret").toString("base64");
    const locked = memoryRegistry({ access: { scheme: "basic", users } });
    const locks = await listen(locked.handler);
    const { host } = locks;
    const keychain = pullSecrets([
      { type: "Opaque", data: { password: "x" } },
      {
        type: "kubernetes.io/dockerconfigjson",
        data: { ".dockerconfigjson": base64({ auths: { "other.example": { auth } } }) },
      },
      { type: "kubernetes.io/dockercfg", data: { ".dockercfg": base64({ [`https://${host}/v1/`]: { auth } }) } },
    ]);
    assert.equal(await letsIn(host, keychain), true);
    assert.equal((await keychain({ registry: "other.example" }))?.username, "ann");
    assert.equal(await keychain({ registry: "third.example" }), undefined);
    await locks.close();
  });

  test("google", async () => {
    const memory = memoryRegistry();
    const { digest } = put(memory, "team/app", "1.0", sampleImage());
    const google = await listen(googleListing(memory, { uploaded: () => Date.UTC(2026, 10, 30) })(memory.handler));
    const own = connect(google.host, { ambient: false });
    assert.deepEqual(await uploadTimes(own, "team"), { [`team/app@${digest}`]: "2026-11-30T00:00:00.000Z" });
    await own.close();
    await google.close();
    const keychain = googleKeychain(async () => ({ token: "t", expiresAt: new Date() }));
    assert.equal((await keychain({ registry: "eu.gcr.io" }))?.username, "_token");
    assert.equal((await keychain({ registry: "europe-docker.pkg.dev" }))?.password, "t");
    assert.equal(await keychain({ registry: "notgcr.io" }), undefined);
  });

  test("logs", async () => {
    const lines: string[] = [];
    await fetchLoudly({ host: server.host, name: "team/app", tag: "1.0" }, (line) => lines.push(line), {
      ambient: false,
    });
    assert.ok(
      lines.some((line) => /^GET \/v2\/team\/app\/manifests\/1\.0 200 \d+/.test(line)),
      lines.join("\n"),
    );
    assert.ok(lines.includes(`done ${amd64?.layers[0]?.digest}`), lines.join("\n"));
  });

  test("registry", async () => {
    assert.deepEqual(await pushedTags(["1", "2"]), ["1", "2"]);
  });

  test("gcrane", async () => {
    const source = memoryRegistry();
    put(source, "team", "1", sampleImage({ seed: "m" }));
    put(source, "team/app", "1", index);
    put(source, "teamwork", "1", sampleImage());
    source.addManifest(
      "team/broken",
      {
        mediaType: mediaTypes.ociManifest,
        bytes: index.manifests.get(amd64?.root.digest as never)?.bytes as Uint8Array,
      },
      "1",
    );
    const target = memoryRegistry();
    const [one, other] = await Promise.all([listen(source.handler), listen(target.handler)]);
    const [from, to] = [connect(one.host, { ambient: false }), connect(other.host, { ambient: false })];
    const told = await mirror(from, "team", to);
    assert.deepEqual(target.repositories(), ["team", "team/app"]);
    assert.equal(told[`${other.host}/team/app:1`], index.root.digest);
    assert.match(told[`${other.host}/team/broken:1`] ?? "", /sha256:/);
    await Promise.all([from.close(), to.close()]);
    await Promise.all([one.close(), other.close()]);
  });
});

describe("docs/library.md", () => {
  const here = new URL("../../docs/library.md", import.meta.url);
  const page = readFileSync(here, "utf8");
  const sections = new Map<string, string>();
  for (const section of page.split(/^## /m).slice(1)) {
    const [title = "", ...text] = section.split("\n");
    for (const name of title.split(", ")) sections.set(name, text.join("\n"));
  }

  test("quotes every program as it is", () => {
    const programs = readdirSync(new URL(".", import.meta.url)).filter((file) =>
      /^(?!go-names)[a-z0-9-]+\.ts$/.test(file),
    );
    assert.ok(programs.length > 25);
    for (const file of programs) {
      const source = readFileSync(new URL(file, import.meta.url), "utf8");
      assert.ok(
        page.includes(`\`\`\`ts\n${source}\`\`\``),
        `docs/library.md does not show examples/library/${file} as it is`,
      );
    }
  });

  test("says something of every public name of go-containerregistry", () => {
    for (const [name, exported] of Object.entries(goNames)) {
      const section = sections.get(name);
      assert.ok(section !== undefined, `docs/library.md has no section on ${name}`);
      const rows = section.split("\n").filter((line) => line.startsWith("| `"));
      const theirs = rows.map((row) => row.split(" | ")[0]).join(" ");
      const said = new Set([...theirs.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text.split(".").at(-1) ?? ""));
      const missing = exported.split(" ").filter((each) => !said.has(each));
      assert.deepEqual(missing, [], `docs/library.md says nothing of these names of ${name}`);
    }
  });

  test("leads from each row to a test that is there, or says that it has nothing", () => {
    const rows = [...sections.values()].flatMap((section) =>
      section.split("\n").filter((line) => line.startsWith("| `")),
    );
    assert.ok(rows.length > 130, `${rows.length} rows`);
    for (const row of rows) {
      const cells = row.split(" | ");
      const links = [...row.matchAll(/\]\((\.\.\/[^)]+)\)/g)].map(([, path = ""]) => path);
      assert.ok(links.length > 0 || cells[1]?.startsWith("not there") === true, `no test: ${row}`);
      for (const path of links) assert.ok(existsSync(new URL(path, here)), `${path} is not there: ${row}`);
    }
  });
});
