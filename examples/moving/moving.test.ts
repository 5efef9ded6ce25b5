import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  answerWith,
  type Fault,
  faults,
  type Listener,
  listen,
  type MemoryRegistry,
  memoryRegistry,
  put,
  redirectTo,
  rewrite,
  sampleImage,
  sampleIndex,
  tar,
  tokenServer,
} from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { dockerArchive, isDrayError, staticCredential, validate } from "dray";
import { header } from "dray/http";
import { encodeJson } from "dray/oci";
import {
  collectionRegistry,
  fetchFeature,
  fetchManifest,
  getPublishedVersions,
  integrityOf,
  pushFeature,
} from "./devcontainers.ts";
import { DockerLookup, ExternalHostError } from "./renovate.ts";
import { checkCredentials, OCIImage } from "./sigstore.ts";
import {
  checkSupport,
  customerRegistry,
  getImageConfig,
  getImageSize,
  getLayer,
  getManifest,
  getRepos,
  getTags,
  pull,
} from "./snyk.ts";
import { WatchedRegistry } from "./wud.ts";

const index = sampleIndex({ platforms: ["linux/amd64", "linux/arm64"] });
const image = sampleImage();
const users = { ann: "secret" };

/** A registry on this machine, for as long as the work takes. */
const serving = async (
  registry: MemoryRegistry,
  work: (server: Listener) => Promise<void>,
  rules: readonly Fault[] = [],
): Promise<void> => {
  const server = await listen(faults(registry.handler, rules));
  try {
    await work(server);
  } finally {
    await server.close();
  }
};
const stocked = (options: Parameters<typeof memoryRegistry>[0] = {}): MemoryRegistry => {
  const registry = memoryRegistry(options);
  put(registry, "team/app", "1.0", index);
  put(registry, "team/single", "1.0", image);
  return registry;
};

describe("renovate", () => {
  test("digests by HEAD alone, labels, architecture, pages up to a bound", async () => {
    const registry = stocked({ access: { scheme: "basic", users }, pageSize: 2 });
    registry.addTags("team/single", ["1.1", "1.2", "1.3", "1.4"], image.root.digest);
    await serving(registry, async ({ host }) => {
      const lookup = new DockerLookup(
        host,
        { username: "ann", password: "secret", headers: { "X-Team": "a" } },
        { maxPages: 2 },
      );
      assert.equal(await lookup.getDigest("team/app", "1.0"), index.root.digest);
      assert.ok(registry.log.entries.every(({ method }) => method === "HEAD" || method === "GET"));
      assert.equal(registry.log.count({ method: "GET", target: "/manifests/" }), 0);
      assert.equal(header(registry.log.entries.at(-1)?.headers ?? [], "X-Team"), "a");
      assert.match(header(registry.log.entries.at(-1)?.headers ?? [], "User-Agent") ?? "", /^renovate dray\//);
      assert.deepEqual(await lookup.getTags("team/single"), ["1.0", "1.1", "1.2", "1.3"]);
      assert.equal(await lookup.getDigest("team/app", "none"), null);
      assert.equal(await lookup.getTags("team/none"), null);
      assert.equal(await lookup.getImageArchitecture("team/single", image.root.digest), "amd64");
      assert.notEqual(await lookup.getLabels("team/app", "1.0"), null);
      const stranger = new DockerLookup(host);
      assert.equal(await stranger.getDigest("team/app", "1.0"), null);
    });
  });

  test("Artifactory's official images, Quay's own list, and hosts at fault", async () => {
    const registry = stocked();
    put(registry, "docker/library/alpine", "3", image);
    const page = (more: boolean) => JSON.stringify({ tags: [{ name: more ? "a" : "b" }], has_additional: more });
    const rules: Fault[] = [
      { target: "/v2/docker/alpine/", effect: rewrite({ "X-JFrog-Version": "Artifactory/7.84" }) },
      { target: "page=1", effect: answerWith(200, {}, page(true)) },
      { target: "page=2", effect: answerWith(200, {}, page(false)) },
      {
        target: "/v2/team/limited/",
        effect: answerWith(429, { "Retry-After": "3600", "Docker-RateLimit-Source": "192.0.2.7" }),
      },
    ];
    await serving(
      registry,
      async ({ host }) => {
        const lookup = new DockerLookup(host);
        assert.deepEqual(await lookup.getTags("docker/alpine"), ["3"]);
        assert.deepEqual(await lookup.getQuayTags("team/app"), ["a", "b"]);
        await assert.rejects(lookup.getDigest("team/limited", "1"), ExternalHostError);
      },
      rules,
    );
  });
});

describe("snyk", () => {
  test("lists, reads and pulls", async () => {
    const registry = stocked();
    registry.addTags("team/single", ["1.1", "1.2"], image.root.digest);
    await serving(registry, async ({ host }) => {
      const customer = customerRegistry(host, { protocol: "http" });
      assert.equal(await checkSupport(customer), true);
      assert.deepEqual(await getRepos(customer), ["team/app", "team/single"]);
      const manifest = await getManifest(customer, "team/single", "1.0");
      const config = await getImageConfig(customer, "team/single", manifest.config.digest);
      assert.equal(config.architecture, "amd64");
      assert.equal(registry.log.count({ method: "HEAD" }), 0);
      const [layer] = manifest.layers;
      assert.ok(layer);
      let read = 0;
      for await (const chunk of getLayer(customer, "team/single", layer.digest)) read += chunk.byteLength;
      assert.equal(read, layer.size);
      assert.ok((await getImageSize(customer, "team/single", "1.0")) >= read);
      const file = join(temporaryFolder("snyk"), "image.tar");
      await pull(customer, "team/app", "1.0", file, "linux/arm64");
      const archive = dockerArchive(file);
      assert.deepEqual((await validate(archive, await archive.resolve(""))).findings, []);
      await rm(file);
      await customer.close();
    });
  });

  test("goes on after the last name where a registry cuts its list without a link", async () => {
    const registry = stocked({ pageSize: 2 });
    registry.addTags("team/single", ["1.1", "1.2", "1.3"], image.root.digest);
    await serving(
      registry,
      async ({ host }) => {
        const customer = customerRegistry(host, { protocol: "http" });
        assert.deepEqual(await getTags(customer, "team/single", 2), ["1.0", "1.1", "1.2", "1.3"]);
        await customer.close();
      },
      [{ target: "/tags/list", effect: rewrite({ Link: undefined }) }],
    );
  });

  test("visits no host that was not allowed, and sends it no password", async () => {
    const tokens = tokenServer({ users });
    const realm = await listen(tokens.handler);
    const registry = stocked({ access: { scheme: "bearer", tokens, realm: `${realm.origin}/token` } });
    await serving(registry, async ({ host }) => {
      const customer = customerRegistry(host, {
        protocol: "http",
        username: "ann",
        password: "secret",
        allowedHosts: ["example.com"],
      });
      await assert.rejects(getTags(customer, "team/app"), (error) => isDrayError(error, "ADDRESS_REFUSED"));
      assert.equal(tokens.log.count(), 0);
      const allowed = customerRegistry(host, {
        protocol: "http",
        username: "ann",
        password: "secret",
        allowedHosts: ["127.0.0.1"],
      });
      assert.deepEqual(await getTags(allowed, "team/app"), ["1.0"]);
      await Promise.all([customer.close(), allowed.close()]);
    });
    await realm.close();
  });
});

describe("devcontainers", () => {
  const layer = tar([
    { path: "./install.sh", kind: "file", bytes: new TextEncoder().encode("#!/bin/sh\n") },
    { path: "./devcontainer-feature.json", kind: "file", bytes: encodeJson({ id: "go" }) },
  ]);

  test("publishes a feature under its versions and installs it", async () => {
    const registry = memoryRegistry({ access: { scheme: "basic", users } });
    await serving(registry, async ({ host }) => {
      const env = { DEVCONTAINERS_OCI_AUTH: `other.example|bob|x,${host}|ann|secret`, DOCKER_CONFIG: "/nowhere" };
      const features = collectionRegistry(host, env);
      assert.deepEqual(await getPublishedVersions(features, "acme/features/go"), []);
      const options = { title: "go.tgz", tags: ["1", "1.2", "latest"], metadata: { id: "go" } };
      const pushed = await pushFeature(features, "acme/features/go", { tar: layer, ...options });
      assert.deepEqual(await getPublishedVersions(features, "acme/features/go"), ["1", "1.2", "latest"]);
      const found = await fetchManifest(features, `${host}/acme/features/go:1`);
      assert.equal(found?.canonicalId, `${host}/acme/features/go@${pushed.digest}`);
      assert.equal(found?.manifest.layers[0]?.digest, integrityOf(layer));
      const files = await fetchFeature(features, `${host}/acme/features/go:1.2`);
      assert.deepEqual([...files.keys()], ["install.sh", "devcontainer-feature.json"]);
      assert.equal(await fetchManifest(features, `${host}/acme/features/none:1`), undefined);
      await features.close();
    });
  });

  test("a token that has run out hides no public feature", async () => {
    const tokens = tokenServer({
      users,
      allow: (account, { actions }) =>
        account === undefined ? actions.filter((action) => action === "pull") : actions,
    });
    const realm = await listen(tokens.handler);
    const registry = stocked({ access: { scheme: "bearer", tokens, realm: `${realm.origin}/token` } });
    await serving(registry, async ({ host }) => {
      const features = collectionRegistry(host, {
        DEVCONTAINERS_OCI_AUTH: `${host}|ann|expired`,
        DOCKER_CONFIG: "/nowhere",
      });
      assert.deepEqual(await getPublishedVersions(features, "team/app"), ["1.0"]);
      await features.close();
    });
    await realm.close();
  });
});

describe("sigstore", () => {
  for (const referrers of [true, false])
    test(`attaches an attestation ${referrers ? "with" : "without"} the referrers API`, async () => {
      const registry = stocked({ referrers, access: { scheme: "basic", users } });
      await serving(registry, async ({ host }) => {
        const options = {
          ambient: false,
          credentials: staticCredential({ username: "ann", password: "secret", source: "test" }, host),
        };
        await checkCredentials(host, options);
        await assert.rejects(checkCredentials(host, { ambient: false }), (error) => isDrayError(error, "UNAUTHORIZED"));
        const attested = new OCIImage(`${host}/team/app`, options);
        const imageDigest = await attested.getDigest("1.0");
        assert.equal(imageDigest, index.root.digest);
        const mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";
        const made = await attested.addArtifact({
          artifact: encodeJson({ signed: true }),
          mediaType,
          imageDigest,
          annotations: { kind: "test" },
        });
        assert.equal(registry.manifest("team/app", made.digest)?.digest, made.digest);
        assert.deepEqual(await attested.getArtifacts(imageDigest, mediaType), [{ signed: true }]);
      });
    });
});

describe("wud", () => {
  const watched = (url: string) => ({
    name: "team/app",
    registry: { url },
    tag: { value: "1.0" },
    os: "linux",
    architecture: "arm64",
  });

  test("lists and compares with credentials that end, and counts its requests", async () => {
    const registry = stocked({ access: { scheme: "basic", users } });
    registry.addTags("team/app", ["1.2", "1.10"], index.root.digest);
    let asked = 0;
    let requests = 0;
    await serving(registry, async ({ origin }) => {
      const credential = async () => (
        asked++, { username: "ann", password: "secret", source: "cloud", expiresAt: new Date(Date.now() + 3_600_000) }
      );
      const watcher = new WatchedRegistry({ credential, onRequest: () => requests++ });
      assert.deepEqual(await watcher.getTags(watched(`${origin}/v2`)), ["1.2", "1.10", "1.0"]);
      assert.equal(await watcher.getDigest(watched(`${origin}/v2`)), index.root.digest);
      const own = await watcher.getImageManifestDigest(watched(`${origin}/v2`));
      assert.notEqual(own.digest, index.root.digest);
      assert.ok(index.manifests.has(own.digest as never));
      assert.equal(asked, 1);
      assert.ok(requests >= 4);
      await watcher.close();
    });
  });

  test("layers and blobs elsewhere get no credentials", async () => {
    const storage = stocked();
    const elsewhere = await listen(storage.handler);
    const registry = stocked({ access: { scheme: "basic", users } });
    await serving(
      registry,
      async ({ origin }) => {
        const watcher = new WatchedRegistry({ login: "ann", password: "secret" });
        await watcher.getImageManifestDigest(watched(origin));
        assert.ok(storage.log.count() > 0);
        assert.ok(storage.log.entries.every(({ authorization }) => authorization === undefined));
        await watcher.close();
      },
      [{ method: "GET", target: "/blobs/", effect: redirectTo(elsewhere.origin) }],
    );
    await elsewhere.close();
  });
});

test("the page shows these files as they are", () => {
  const page = readFileSync(new URL("../../docs/moving.md", import.meta.url), "utf8");
  for (const name of ["renovate", "snyk", "devcontainers", "sigstore", "wud"]) {
    const source = readFileSync(new URL(`${name}.ts`, import.meta.url), "utf8");
    assert.ok(
      page.includes(`\`\`\`ts\n${source}\`\`\``),
      `docs/moving.md does not show examples/moving/${name}.ts as it is`,
    );
  }
});
