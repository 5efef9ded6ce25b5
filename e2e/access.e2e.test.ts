/** Who may come in, as docker-registry asks it: passwords, private authorities, client certificates, tokens. */
import assert from "node:assert/strict";
import { stat, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { listen, memoryRegistry, put, sampleImage, testCertificates, tokenServer } from "@dray/testkit";
import { type DockerRegistry, findPeer, startDockerRegistry, succeed } from "@dray/testkit/peers";
import { missing, type Sandbox, workshop } from "./dray.ts";

const [docker, htpasswd, skopeo] = ["docker-registry", "htpasswd", "skopeo"].map(findPeer);
const image = sampleImage({ seed: "access" });
const password = "pa55:w0rd";

/** A layout with the image in it, to push from. */
const withLayout = async (): Promise<Sandbox> => {
  const shop = await workshop();
  const registry = memoryRegistry();
  put(registry, "demo/app", "v1", image);
  const server = await listen(registry.handler);
  await shop.ok(["pull", "--format", "oci", `${server.host}/demo/app:v1`, shop.path("layout")]);
  await server.close();
  return shop;
};

describe("docker-registry with htpasswd", {
  skip: missing(["docker-registry", docker], ["htpasswd", htpasswd]),
}, () => {
  let shop: Sandbox;
  let server: DockerRegistry;
  before(async () => {
    shop = await withLayout();
    await writeFile(shop.path("htpasswd"), await succeed([htpasswd as string, "-nbB", "ann", password]));
    server = (await startDockerRegistry({
      auth: { htpasswd: { realm: "test", path: shop.path("htpasswd") } },
    })) as DockerRegistry;
  });
  after(async () => {
    await server.close();
    await shop.close();
  });

  test("refuses strangers with exit code 6 and says how to log in", async () => {
    const { code, stderr } = await shop.dray(["push", shop.path("layout"), `${server.host}/demo/app:v1`]);
    assert.equal(code, 6, stderr);
    assert.match(stderr, /auth login/);
  });

  test("a wrong password is refused, and is not in what is said", async () => {
    await shop.dray(["auth", "login", server.host, "-u", "ann", "--password-stdin"], { input: "wr0ng-one" });
    const { code, stderr } = await shop.dray(["ls", `${server.host}/demo/app`]);
    assert.equal(code, 6, stderr);
    assert.ok(!stderr.includes("wr0ng-one"));
  });

  test("lets in who logged in, and skopeo reads what was written", async () => {
    await shop.ok(["auth", "login", server.host, "-u", "ann", "--password-stdin"], { input: `${password}\n` });
    const config = shop.path("docker", "config.json");
    assert.equal((await stat(config)).mode & 0o777, 0o600);
    const pushed = await shop.ok(["push", shop.path("layout"), `${server.host}/demo/app:v1`]);
    assert.equal(pushed.trim(), `${server.host}/demo/app@${image.root.digest}`);
    if (skopeo !== undefined)
      await succeed([
        skopeo,
        "inspect",
        "--tls-verify=false",
        "--authfile",
        config,
        `docker://${server.host}/demo/app:v1`,
      ]);
    await shop.ok(["auth", "logout", server.host]);
    assert.equal((await shop.dray(["ls", `${server.host}/demo/app`])).code, 6);
  });

  test("takes credentials from the environment, and a missing helper is one warning", async () => {
    const env = {
      DRAY_REGISTRY_HOSTNAME: server.host,
      DRAY_REGISTRY_USERNAME: "ann",
      DRAY_REGISTRY_PASSWORD: password,
    };
    assert.equal(await shop.ok(["ls", `${server.host}/demo/app`], { env }), "v1\n");
  });
});

describe("docker-registry under a private authority", { skip: missing(["docker-registry", docker]) }, () => {
  let shop: Sandbox;
  let server: DockerRegistry;
  before(async () => {
    shop = await withLayout();
    server = (await startDockerRegistry({ tls: true, clientCertificate: true })) as DockerRegistry;
  });
  after(async () => {
    await server.close();
    await shop.close();
  });
  const push = (...flags: string[]): Promise<{ code: number | null; stderr: string }> =>
    shop.dray(["push", ...flags, shop.path("layout"), `${server.host}/demo/app:v1`]);

  test("is not trusted without --ca-file, and the message says so", async () => {
    const { code, stderr } = await push();
    assert.equal(code, 1);
    assert.match(stderr, /--ca-file/);
  });

  test("wants a client certificate, and the message says so", async () => {
    const { code, stderr } = await push("--ca-file", server.ca as string);
    assert.equal(code, 1);
    assert.match(stderr, /--cert/);
  });

  test("lets in who shows one", async () => {
    const { cert, key } = server.client as { cert: string; key: string };
    const { code, stderr } = await push("--ca-file", server.ca as string, "--cert", cert, "--key", key);
    assert.equal(code, 0, stderr);
  });
});

describe("docker-registry with tokens", { skip: missing(["docker-registry", docker]) }, () => {
  test("are asked for with the scopes that a push and a mount need", async () => {
    const shop = await withLayout();
    const { ca, server: signer } = testCertificates();
    await writeFile(shop.path("bundle.pem"), `${ca.cert}\n${signer.cert}`);
    const tokens = tokenServer({
      users: { ann: password },
      lifetimeSeconds: 60,
      signer: { issuer: "test", key: signer.key, cert: signer.cert },
    });
    const service = await listen(tokens.handler);
    const server = (await startDockerRegistry({
      auth: {
        token: {
          realm: `${service.origin}/token`,
          service: "registry",
          issuer: "test",
          rootcertbundle: shop.path("bundle.pem"),
        },
      },
    })) as DockerRegistry;
    const stranger = await shop.dray(["push", shop.path("layout"), `${server.host}/demo/app:v1`]);
    assert.equal(stranger.code, 6, stranger.stderr);
    await shop.ok(["auth", "login", server.host, "-u", "ann", "--password-stdin"], { input: password });
    await shop.ok(["push", shop.path("layout"), `${server.host}/demo/app:v1`]);
    const stored = await server.bytes();
    await shop.ok(["cp", `${server.host}/demo/app:v1`, `${server.host}/other/app:v1`]);
    assert.equal(await server.bytes(), stored, "the layers were mounted");
    assert.equal((await shop.ok(["digest", `${server.host}/other/app:v1`])).trim(), image.root.digest);
    await Promise.all([server.close(), service.close()]);
    await shop.close();
  });
});
