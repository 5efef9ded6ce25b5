/** Images between registries, layouts and the container engines that people have, moved by Dray and looked at by those engines. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import {
  type Listener,
  listen,
  memoryRegistry,
  put,
  sampleArtifact,
  sampleImage,
  sampleIndex,
  testCertificates,
} from "@dray/testkit";
import {
  cuttingProxy,
  type EngineKind,
  type Finished,
  findPeer,
  noEngine,
  startEngine,
  succeed,
  type TestEngine,
} from "@dray/testkit/peers";
import { staticCredential } from "dray/auth";
import { bytesContent, collect } from "dray/content";
import { connectEngine, type Engine, puller } from "dray/daemon";
import { isDrayError } from "dray/errors";
import type { ImageConfig } from "dray/image";
import type { Descriptor, Manifest } from "dray/oci";
import { missing, type Sandbox, workshop } from "../dray.ts";

const kinds: readonly EngineKind[] = ["docker", "docker-oci", "podman"];
const crane = findPeer("crane");
const user = { username: "ann", password: "s3cret", source: "test" };

for (const kind of kinds)
  describe(`with ${kind}`, { skip: noEngine(kind) }, () => {
    let [shop, site, guarded]: [Sandbox?, Listener?, Listener?] = [];
    let its: TestEngine | undefined;
    let engine: Engine;
    const image = sampleImage({ seed: kind, docker: true, layers: 3 });
    const index = sampleIndex({ seed: kind, platforms: ["linux/amd64", "linux/arm64"] });
    const env = (): Record<string, string | undefined> => ({ DOCKER_HOST: its?.host });
    const run = (...words: string[]): Promise<Finished> => (shop as Sandbox).here(words, { env: env() });
    const dray = async (...words: string[]): Promise<string> => {
      const { code, stdout, stderr } = await run(...words);
      assert.equal(code, 0, `dray ${words.join(" ")}: ${stderr}`);
      return stdout;
    };
    const failing = async (code: number, says: RegExp, ...words: string[]): Promise<void> => {
      const ended = await run(...words);
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, says);
    };
    const path = (...parts: string[]): string => (shop as Sandbox).path(...parts);
    const at = (name: string): string => `${site?.host}/${name}`;
    const manifestOf = async (name: string): Promise<Manifest> => JSON.parse(await dray("manifest", name)) as Manifest;
    const configOf = async (name: string): Promise<string> => (await manifestOf(name)).config.digest;

    before(async () => {
      shop = await workshop();
      const registry = memoryRegistry();
      put(registry, "demo/image", "v1", image);
      put(registry, "demo/index", "v1", index);
      site = await listen(registry.handler);
      guarded = await listen(
        memoryRegistry({ access: { scheme: "basic", users: { [user.username]: user.password } } }).handler,
      );
      its = await startEngine(kind, { plain: [guarded.host] });
      engine = connectEngine({ host: its.host });
      await dray("cp", at("demo/image:v1"), "docker-daemon:quay.io/demo/app:1");
    });
    after(async () => {
      await engine?.close();
      await its?.close();
      await site?.close();
      await guarded?.close();
      await shop?.close();
    });

    test("an image goes registry, engine, registry, layout, engine with one configuration", async () => {
      const there = await engine.inspect("quay.io/demo/app:1");
      assert.deepEqual(there.names, ["quay.io/demo/app:1"]);
      assert.deepEqual(there.platform, { os: "linux", architecture: "amd64" });
      await dray("cp", "docker-daemon:quay.io/demo/app:1", at("back/app:1"));
      assert.equal(await configOf(at("back/app:1")), image.config.digest);
      await dray("validate", at("back/app:1"));
      if (crane !== undefined)
        assert.match(await succeed([crane, "validate", "--insecure", "--remote", at("back/app:1")]), /^PASS/);
      await dray("cp", "docker-daemon:quay.io/demo/app:1", `oci:${path("layout")}:app`);
      assert.equal(await configOf(`oci:${path("layout")}:app`), image.config.digest);
      await dray("cp", `oci:${path("layout")}:app`, "docker-daemon:again:2");
      assert.equal((await engine.inspect("again:2")).id, there.id);
      if (kind === "docker-oci")
        for (const place of [at("back/app:1"), `oci:${path("layout")}:app`, "docker-daemon:again:2"])
          assert.equal((await dray("digest", place)).trim(), image.root.digest);
      await engine.untag("again:2");
    });

    test("what goes to a registry is what the pushed archive of the same engine is", async () => {
      const archive = path("saved.tar");
      const saved = await engine.save(["quay.io/demo/app:1"]);
      writeFileSync(archive, await collect(saved.chunks, 2 ** 30, "save"));
      await dray("push", archive, at("by/archive:1"));
      await dray("push", "docker-daemon:quay.io/demo/app:1", at("by/engine:1"));
      if (kind !== "docker-oci")
        assert.equal(await dray("digest", at("by/engine:1")), await dray("digest", at("by/archive:1")));
      assert.equal(await configOf(at("by/engine:1")), await configOf(at("by/archive:1")));
    });

    test("the words of a reader: ls, digest, manifest, config, validate, pull, files", async () => {
      assert.match(await dray("ls", "docker-daemon:"), /^quay\.io\/demo\/app:1$/m);
      assert.match(await dray("ls", "--full-ref", "docker-daemon:"), /^docker-daemon:quay\.io\/demo\/app:1$/m);
      const { tags } = JSON.parse(await dray("ls", "-o", "json", "docker-daemon:")) as {
        tags: { reference: string }[];
      };
      for (const { reference } of tags) await dray("digest", reference);
      const manifest = await dray("manifest", "docker-daemon:quay.io/demo/app:1");
      assert.equal((JSON.parse(manifest) as Manifest).config.digest, image.config.digest);
      assert.equal(await dray("config", "docker-daemon:quay.io/demo/app:1"), await dray("config", at("demo/image:v1")));
      await dray("validate", "docker-daemon:quay.io/demo/app:1");
      assert.match(await dray("ls", "docker-daemon:quay.io/demo/app:1:/etc"), /layer-0\.conf/);
      const { code, stderr } = await run("pull", "docker-daemon:quay.io/demo/app:1", path("pulled.tar"));
      assert.equal(code, 0, stderr);
      assert.equal(stderr.match(/is kept in a temporary file/g)?.length, 1, stderr);
      assert.equal(await configOf(`docker-archive:${path("pulled.tar")}`), image.config.digest);
      const { id } = await engine.inspect("quay.io/demo/app:1");
      assert.equal(
        await dray("digest", `docker-daemon:${id}`),
        await dray("digest", "docker-daemon:quay.io/demo/app:1"),
      );
      await failing(5, /inspect missing:1: the engine says: .*/, "digest", "docker-daemon:missing:1");
    });

    test("several images come in one save, and go in one load", async () => {
      await dray("cp", at("demo/image:v1"), "docker-daemon:quay.io/demo/other:1");
      await dray("cp", "--platform", "linux/amd64", at("demo/index:v1"), "docker-daemon:quay.io/demo/second:1");
      await dray("pull", "docker-daemon:quay.io/demo/other:1", "docker-daemon:quay.io/demo/second:1", path("two.tar"));
      assert.deepEqual((await dray("ls", `docker-archive:${path("two.tar")}`)).trim().split("\n").length, 2);
      for (const name of ["other:1", "second:1"]) await engine.remove(`quay.io/demo/${name}`);
    });

    test("of an index an engine that holds one platform takes its own", async () => {
      await dray("cp", at("demo/index:v1"), "docker-daemon:quay.io/demo/index:1");
      const { platform } = await engine.inspect("quay.io/demo/index:1");
      assert.equal(platform.architecture, "amd64");
      await engine.remove("quay.io/demo/index:1");
    });

    test("a load that breaks off leaves nothing behind", async () => {
      const before = (await engine.list()).map(({ id }) => id).sort();
      const saved = await engine.save(["quay.io/demo/app:1"]);
      const whole = await collect(saved.chunks, 2 ** 30, "save");
      await assert.rejects(engine.load(bytesContent(whole.subarray(0, whole.byteLength >> 1))), (error) =>
        isDrayError(error, "ENGINE", "USAGE"),
      );
      await assert.rejects(engine.load(bytesContent(new Uint8Array(4096).fill(7))), (error) =>
        isDrayError(error, "ENGINE", "USAGE"),
      );
      const damaged = sampleImage({ seed: `${kind} damaged`, docker: true });
      const registry = memoryRegistry();
      put(registry, "demo/damaged", "v1", damaged);
      const [, layer] = damaged.layers as [Descriptor, Descriptor];
      registry.addContent("demo/damaged", {
        descriptor: layer,
        content: { size: layer.size, read: (into, at) => Math.min(into.byteLength, layer.size - at) },
      });
      const bad = await listen(registry.handler);
      await failing(
        1,
        /has digest|damaged|DIGEST/i,
        "cp",
        `${bad.host}/demo/damaged:v1`,
        "docker-daemon:quay.io/demo/damaged:1",
      );
      await bad.close();
      assert.deepEqual((await engine.list()).map(({ id }) => id).sort(), before);
    });

    test("what refers to an image goes where manifests are kept, and is refused elsewhere before anything is loaded", async () => {
      const signed = sampleImage({ seed: `${kind} signed`, docker: true });
      const signature = sampleArtifact({ seed: `${kind} signature`, subject: signed.root });
      const registry = memoryRegistry();
      put(registry, "demo/signed", "v1", signed);
      put(registry, "demo/signed", "signature", signature);
      const origin = await listen(registry.handler);
      const copied = ["cp", "--referrers", `${origin.host}/demo/signed:v1`, "docker-daemon:quay.io/demo/signed:1"];
      const alone = ["cp", `${origin.host}/demo/signed:signature`, "docker-daemon:quay.io/demo/signature:1"];
      if (kind === "docker-oci") {
        await dray(...copied);
        await engine.remove("quay.io/demo/signed:1");
      } else {
        await failing(
          1,
          /without their manifests, so nothing there can refer to one; leave out --referrers$/m,
          ...copied,
        );
        await failing(1, /is no image, since it has no configuration of one/, ...alone);
        await failing(5, /dray ls docker-daemon: lists/, "digest", "docker-daemon:quay.io/demo/signed:1");
        await dray(...copied.filter((word) => word !== "--referrers"));
        await engine.remove("quay.io/demo/signed:1");
      }
      await origin.close();
    });

    test("a tag is given in the engine, and taken away again", async () => {
      await dray("tag", "docker-daemon:quay.io/demo/app:1", "stable");
      assert.equal(
        await dray("digest", "docker-daemon:quay.io/demo/app:stable"),
        await dray("digest", "docker-daemon:quay.io/demo/app:1"),
      );
      await dray("delete", "docker-daemon:quay.io/demo/app:stable");
      await failing(
        5,
        /; dray ls docker-daemon: lists its images, dray copy quay\.io\/demo\/app:stable docker-daemon:quay\.io\/demo\/app:stable brings this one$/m,
        "digest",
        "docker-daemon:quay.io/demo/app:stable",
      );
      const { id } = await engine.inspect("quay.io/demo/app:1");
      await failing(2, /is the ID of an image/, "tag", `docker-daemon:${id}`, "stable");
    });

    test("names are given and taken, and images removed", async () => {
      await engine.tag("quay.io/demo/app:1", "quay.io/demo/named:2");
      assert.deepEqual([...(await engine.inspect("quay.io/demo/app:1")).names].sort(), [
        "quay.io/demo/app:1",
        "quay.io/demo/named:2",
      ]);
      await engine.untag("quay.io/demo/named:2");
      await assert.rejects(engine.inspect("quay.io/demo/named:2"), (error) => isDrayError(error, "NOT_FOUND"));
      await assert.rejects(engine.remove("quay.io/demo/named:2"), (error) => isDrayError(error, "NOT_FOUND"));
      await assert.rejects(engine.untag(image.config.digest), (error) => isDrayError(error, "USAGE"));
      const { id, digests, size, created } = await engine.inspect("quay.io/demo/app:1");
      assert.match(id, /^sha256:[0-9a-f]{64}$/);
      assert.ok(Array.isArray(digests) && size > 0 && created instanceof Date);
    });

    test("pushes and pulls with the credentials that it is given, and says what was refused", async () => {
      const name = `${guarded?.host}/team/app:1`;
      const insecure = { skipTlsVerify: true };
      await engine.tag("quay.io/demo/app:1", name);
      await assert.rejects(engine.push(name, insecure), (error) => isDrayError(error, "ENGINE"));
      await assert.rejects(
        engine.push(name, { ...insecure, credentials: { ...user, password: "wrong" } }),
        (error) => isDrayError(error, "ENGINE") && !error.message.includes("wrong"),
      );
      const { digest } = await engine.push(name, { ...insecure, credentials: user });
      assert.match(digest ?? "", /^sha256:/);
      await engine.remove(name);
      const own = puller(engine, { ...insecure, credentials: staticCredential(user) });
      assert.equal(await own.isImagePresent(name), false);
      const pulled = await own.pull(name);
      assert.equal(await own.isImagePresent(name), true);
      assert.ok(
        pulled.digests.some((each) => each.endsWith(`@${digest}`)),
        pulled.digests.join(" "),
      );
      await assert.rejects(engine.pull(`${guarded?.host}/team/app:2`, { ...insecure, credentials: user }), (error) =>
        isDrayError(error, "ENGINE", "NOT_FOUND"),
      );
      await engine.remove(name);
    });

    test("a container is made, exported and removed", async () => {
      const id = await engine.containers.create("quay.io/demo/app:1", { name: "demo", command: ["/bin/true"] });
      const container = await engine.containers.inspect("demo");
      assert.deepEqual([container.id, container.name, container.running], [id, "demo", false]);
      const { chunks } = await engine.containers.export(id);
      const tar = Buffer.from(await collect(chunks, 2 ** 30, "export"));
      assert.ok(tar.includes("etc/layer-2.conf"));
      await dray("cp", "docker-container:demo", at("from/container:1"));
      await dray("validate", at("from/container:1"));
      const { config, rootfs } = JSON.parse(await dray("config", at("from/container:1"))) as ImageConfig;
      assert.deepEqual([config?.Cmd, rootfs?.diff_ids?.length], [["/bin/true"], 1]);
      assert.match(await dray("ls", at("from/container:1:/etc")), /layer-0\.conf[^]*layer-2\.conf/);
      assert.equal(
        await dray("digest", "docker-container:demo"),
        await dray("digest", `docker-container:${id.slice(0, 12)}`),
      );
      await failing(1, /containers are read/, "cp", at("demo/image:v1"), "docker-container:demo");
      await assert.rejects(engine.remove("quay.io/demo/app:1"), (error) => isDrayError(error, "CONFLICT", "ENGINE"));
      await engine.containers.remove(id);
      await assert.rejects(engine.containers.inspect("demo"), (error) => isDrayError(error, "NOT_FOUND"));
    });

    test("says who it is", async () => {
      const { version, apiVersion, platform } = await engine.version();
      // One that was built by hand calls itself otherwise.
      assert.match(version, kind === "docker-oci" ? /./ : /^\d+\./);
      assert.match(apiVersion, /^1\.\d+$/);
      assert.deepEqual(platform, { os: "linux", architecture: "amd64" });
      assert.equal(await engine.keepsManifests(), kind === "docker-oci");
      assert.equal(await engine.address(), `${its?.host} (the host option)`);
    });

    test("an upload that is cut goes on with the bytes of another save", async () => {
      const large = sampleImage({ seed: `${kind} large`, docker: true, layers: 1, layerSize: 3_000_000 });
      const registry = memoryRegistry();
      put(registry, "demo/large", "v1", large);
      const origin = await listen(registry.handler);
      await dray("cp", `${origin.host}/demo/large:v1`, "docker-daemon:quay.io/demo/large:1");
      const cutting = await cuttingProxy(site?.host as string, { limit: 1_200_000 });
      await dray("cp", "docker-daemon:quay.io/demo/large:1", `${cutting.host}/cut/large:1`);
      assert.ok(cutting.cuts() > 0);
      await dray("validate", at("cut/large:1"));
      assert.equal(await configOf(at("cut/large:1")), large.config.digest);
      await engine.remove("quay.io/demo/large:1");
      await Promise.all([cutting.close(), origin.close()]);
    });

    test("over TLS, with docker's variables, and with nobody who has no certificate", {
      skip: kind === "podman",
    }, async () => {
      const { host = "", certificates = "" } = its?.secure ?? {};
      const [strange, bare] = [path("strange"), path("bare")];
      for (const folder of [strange, bare]) {
        mkdirSync(folder);
        copyFileSync(`${certificates}/ca.pem`, `${folder}/ca.pem`);
      }
      const { client } = testCertificates();
      writeFileSync(`${strange}/cert.pem`, client.cert);
      writeFileSync(`${strange}/key.pem`, client.key);
      const over = (folder: string | undefined, ...words: string[]): Promise<Finished> =>
        (shop as Sandbox).here(words, {
          env: {
            DOCKER_HOST: host,
            DOCKER_CERT_PATH: folder,
            DOCKER_TLS_VERIFY: folder === undefined ? undefined : "1",
          },
        });
      for (const words of [
        ["cp", "docker-daemon:quay.io/demo/app:1", at("over/tls:1")],
        ["cp", at("over/tls:1"), "docker-daemon:quay.io/over/tls:1"],
      ]) {
        const { code, stderr } = await over(certificates, ...words);
        assert.equal(code, 0, stderr);
      }
      assert.deepEqual(
        (await engine.inspect("quay.io/over/tls:1")).id,
        (await engine.inspect("quay.io/demo/app:1")).id,
      );
      await engine.remove("quay.io/over/tls:1");
      for (const [folder, says] of [
        [strange, /DOCKER_CERT_PATH/],
        [bare, /DOCKER_CERT_PATH/],
        [undefined, /DOCKER_TLS_VERIFY/],
      ] as const) {
        const { code, stderr } = await over(folder, "cp", "docker-daemon:quay.io/demo/app:1", at("no/way:1"));
        assert.equal(code, 1, stderr);
        assert.match(stderr, says);
      }
    });

    test("by ssh and docker's own dial-stdio", { skip: missing(["docker", findPeer("docker")]) }, async () => {
      const folder = path("bin");
      mkdirSync(folder);
      const script = `#!/bin/sh\nexec ${findPeer("docker")} --host ${its?.host} system dial-stdio\n`;
      writeFileSync(`${folder}/ssh`, script, { mode: 0o755 });
      const env = { PATH: `${folder}:${process.env["PATH"]}`, HOME: path("home") };
      const far = connectEngine({ host: "ssh://me@far.example", env });
      assert.deepEqual((await far.inspect("quay.io/demo/app:1")).names, ["quay.io/demo/app:1"]);
      const saved = await far.save(["quay.io/demo/app:1"]);
      const whole = await collect(saved.chunks, 2 ** 30, "save");
      assert.ok((await far.load(bytesContent(whole))).length > 0);
      await far.close();
    });

    test("a copy to a registry keeps nothing on the disk", async () => {
      await (shop as Sandbox).ok(["cp", "docker-daemon:quay.io/demo/app:1", at("no/disk:1")], {
        env: { ...env(), TMPDIR: path("nowhere") },
      });
      assert.equal(await configOf(at("no/disk:1")), image.config.digest);
    });
  });
