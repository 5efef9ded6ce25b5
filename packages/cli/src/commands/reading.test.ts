import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  answerWith,
  faults,
  hold,
  listen,
  memoryRegistry,
  put,
  sampleArtifact,
  sampleImage,
  sampleIndex,
  seededBytes,
} from "@dray/testkit";
import type { Handler } from "dray/http";
import { type Digest, digestOf, mediaTypes } from "dray/oci";
import { commands } from "../../test/commands.ts";

const image = sampleImage({
  seed: "reading",
  annotations: { "org.opencontainers.image.created": "2020-02-02T00:00:00Z" },
});
const older = sampleImage({ seed: "older" });
const index = sampleIndex({
  seed: "index",
  attestations: true,
  platforms: ["linux/amd64", "linux/arm64/v8", "windows/amd64"],
});
const [amd64, arm64] = index.images;
const armOnly = sampleIndex({ seed: "arm", platforms: ["linux/arm64"] });
const sbom = sampleArtifact({ subject: image.root, artifactType: "application/spdx+json" });
const signature = sampleArtifact({
  seed: "sig",
  subject: sbom.root,
  artifactType: "application/vnd.dev.sigstore.bundle.v0.3+json",
});
const cosigned = sampleArtifact({ seed: "cosign", mediaType: "application/vnd.dev.cosign.simplesigning.v1+json" });
const cosignTag = `${image.root.digest.replace(":", "-")}.sig`;

const { registry, host, at, dray, printed } = await commands("reading", memoryRegistry({ pageSize: 3 }));
const app = `${host}/team/app`;

describe("commands that read", () => {
  test("a list that a registry does not end is printed, told of, and done in part", async () => {
    const odd: Handler = (request) => {
      const { target } = request;
      const [path = ""] = target.split("?");
      const link = { Link: `<${path}?last=again>; rel="next"` };
      if (path.endsWith("/tags/list")) return answerWith(200, link, '{"tags":["a"]}')(request, registry.handler);
      if (path === "/v2/_catalog") return answerWith(200, link, '{"repositories":["a"]}')(request, registry.handler);
      if (!path.includes("/referrers/")) return registry.handler(request);
      const type = { "Content-Type": mediaTypes.ociIndex };
      return answerWith(200, { ...link, ...type }, '{"manifests":[]}')(request, registry.handler);
    };
    const circular = await listen(odd);
    try {
      for (const [words, shown] of [
        [["ls", `${circular.host}/team/app`], /^a\na\n$/],
        [["ls", "-o", "json", `${circular.host}/team/app`], /"tags"/],
        [["catalog", circular.host], /^a\na\n$/],
        [["tree", `${circular.host}/team/app:1.0`], new RegExp(image.root.digest.slice(0, 19))],
      ] as const) {
        const { exitCode, stdout, stderr } = await dray(words);
        assert.equal(exitCode, 3, `${words.join(" ")}: ${stderr}`);
        assert.match(stdout, shown);
        assert.match(stderr, /^Warning: .* goes round in circles listing .*; the list ends here$/m);
      }
    } finally {
      await circular.close();
    }
  });

  before(async () => {
    put(registry, "team/app", "1.0", image);
    put(registry, "team/app", "0.9", older);
    put(registry, "team/app", "multi", index);
    put(registry, "team/app", undefined, sbom);
    put(registry, "team/app", undefined, signature);
    put(registry, "team/app", cosignTag, cosigned);
    put(registry, "team/arm", "latest", armOnly);
    registry.addTags(
      "many",
      ["v1.9.0", "v1.10.0", "v1.10.0-rc.1", "v2.0.0", "latest", "edge", "v1.10"],
      image.root.digest,
    );
  });

  test("digest", async () => {
    assert.equal(await printed("digest", `${app}:1.0`), `${image.root.digest}\n`);
    assert.equal(await printed("digest", `docker://${app}:1.0`), `${image.root.digest}\n`);
    assert.equal(await printed("digest", "--full-ref", `${app}:1.0`), `${app}@${image.root.digest}\n`);
    assert.equal(await printed("digest", `${app}:multi`), `${index.root.digest}\n`);
    assert.equal(await printed("digest", "--platform", "linux/arm64", `${app}:multi`), `${arm64?.root.digest}\n`);
    assert.equal(await printed("digest", "--platform", "linux/s390x", `${app}:1.0`), `${image.root.digest}\n`);
    assert.equal(await printed("digest", `${app}:nonsense@${image.root.digest}`), `${image.root.digest}\n`);
  });

  test("manifest and config: the bytes, and nothing after them", async () => {
    const bytesOf = (sample: typeof image): string =>
      Buffer.from(sample.manifests.get(sample.root.digest)?.bytes ?? "").toString();
    const configOf = (sample: typeof image): string =>
      Buffer.from(sample.blobs.get(sample.config.digest) ?? "").toString();
    assert.equal(await printed("manifest", `${app}:1.0`), bytesOf(image));
    assert.equal(
      await printed("manifest", `${app}:multi`),
      Buffer.from(index.manifests.get(index.root.digest)?.bytes ?? "").toString(),
    );
    assert.equal(
      await printed("manifest", "--platform", "linux/arm64", `${app}:multi`),
      bytesOf(arm64 as typeof image),
    );
    assert.equal(await printed("config", `${app}:1.0`), configOf(image));
    assert.equal(
      await printed("config", `${app}:multi`),
      configOf(amd64 as typeof image),
      "of an index linux/amd64, as with crane",
    );
    assert.equal(await printed("config", "--platform=linux/arm64", `${app}:multi`), configOf(arm64 as typeof image));
  });

  test("a manifest costs one request, a digest one HEAD", async () => {
    const asked = async (...words: string[]): Promise<string[]> => {
      registry.log.clear();
      await printed(...words);
      return registry.log.entries
        .map(({ method, target }) => `${method} ${target}`)
        .filter((line) => line !== "GET /v2/");
    };
    assert.deepEqual(await asked("manifest", `${app}:1.0`), ["GET /v2/team/app/manifests/1.0"]);
    assert.deepEqual(await asked("digest", `${app}:1.0`), ["HEAD /v2/team/app/manifests/1.0"]);
    assert.deepEqual(await asked("config", `${app}:1.0`), [
      "GET /v2/team/app/manifests/1.0",
      `GET /v2/team/app/blobs/${image.config.digest}`,
    ]);
  });

  test("blob", async () => {
    const digest = image.layers[0]?.digest ?? image.root.digest;
    const { bytes } = await dray(["blob", `${app}@${digest}`]);
    assert.deepEqual(bytes, Buffer.from(image.blobs.get(digest) ?? ""));
    const rows: readonly [blob: string, exitCode: number, says: RegExp][] = [
      [`${app}:1.0`, 2, /REPOSITORY@DIGEST/],
      [`${app}@sha256:1`, 2, /sha256 has 64 hex digits/],
      [`${app}@sha256:${"0".repeat(64)}`, 5, /0000/],
    ];
    for (const [blob, exitCode, says] of rows) {
      const { stderr, ...ended } = await dray(["blob", blob]);
      assert.equal(ended.exitCode, exitCode, blob);
      assert.match(stderr, says);
    }
  });

  test("catalog", async () => {
    assert.equal(await printed("catalog", host), "many\nteam/app\nteam/arm\n");
    assert.equal(
      await printed("catalog", "--full-ref", host),
      ["many", "team/app", "team/arm"].map((name) => `${host}/${name}\n`).join(""),
    );
    assert.deepEqual(JSON.parse(await printed("catalog", "-o", "json", host)), {
      schemaVersion: 1,
      registry: host,
      repositories: ["many", "team/app", "team/arm"],
    });
  });

  test("ls", async () => {
    const rows: readonly [flags: string[], tags: string[]][] = [
      [[], ["edge", "latest", "v1.10", "v1.10.0", "v1.10.0-rc.1", "v1.9.0", "v2.0.0"]],
      [
        ["--limit", "2"],
        ["edge", "latest"],
      ],
      [["--limit", "0"], []],
      [
        ["--match", "v1.*"],
        ["v1.10", "v1.10.0", "v1.10.0-rc.1", "v1.9.0"],
      ],
      [
        ["--match", "v1.*", "--exclude", "*-rc*", "--exclude", "/^v1.9/"],
        ["v1.10", "v1.10.0"],
      ],
      [
        ["--sort", "semver"],
        ["v2.0.0", "v1.10.0", "v1.10", "v1.10.0-rc.1", "v1.9.0", "latest", "edge"],
      ],
      [
        ["--sort=semver", "--limit=2", "--match=v1*"],
        ["v1.10.0", "v1.10"],
      ],
      [
        ["--sort", "natural", "--exclude", "v2*"],
        ["v1.10.0-rc.1", "v1.10.0", "v1.10", "v1.9.0", "latest", "edge"],
      ],
    ];
    const many = `${host}/many`;
    for (const [flags, tags] of rows)
      assert.deepEqual(await printed("ls", ...flags, many), tags.map((tag) => `${tag}\n`).join(""), flags.join(" "));
    assert.equal(await printed("ls", "--full-ref", "--limit", "1", many), `${many}:edge\n`);
    assert.equal(await printed("ls", "-O", app), "0.9\n1.0\nmulti\n");
    assert.equal(await printed("ls", app), `0.9\n1.0\nmulti\n${cosignTag}\n`);
    assert.equal(await printed("ls", "--sort", "created", "--match", "?.?", app), "1.0\n0.9\n");
    assert.deepEqual(JSON.parse(await printed("ls", "-O", "--sort=created", "--match=/^[01]/", "-o", "json", app)), {
      schemaVersion: 1,
      registry: host,
      repository: "team/app",
      tags: [
        { tag: "1.0", reference: `${app}:1.0`, created: "2020-02-02T00:00:00.000Z" },
        { tag: "0.9", reference: `${app}:0.9`, created: "2000-01-01T00:00:00.000Z" },
      ],
    });
    // Of a list of which there is no first page nothing is printed; one that breaks off is closed with the reason.
    const missing = await dray(["ls", "-o", "json", `${host}/demo/none`]);
    assert.deepEqual([missing.exitCode, missing.stdout], [5, ""]);
    assert.equal(
      await printed("ls", "-o", "json", "--match", "none", many),
      `{"schemaVersion":1,"registry":"${host}","repository":"many","tags":[]}\n`,
    );
    const stop = new AbortController();
    const paged = memoryRegistry({ pageSize: 2 });
    paged.addTags("many", ["a", "b", "c"], put(paged, "many", "a", image).digest);
    for (const [effect, code, exit] of [
      [answerWith(500), "REGISTRY", 1],
      [hold(async () => stop.abort()), "ABORTED", 130],
    ] as const) {
      const breaking = await listen(faults(paged.handler, [{ target: "last=", effect }]));
      for (const words of [["ls", "-o", "json", `${breaking.host}/many`]]) {
        const broken = await dray(["--retry", "1", ...words], { signal: stop.signal });
        assert.equal(broken.exitCode, exit, broken.stderr);
        const { tags, error } = JSON.parse(broken.stdout);
        assert.deepEqual([tags.map(({ tag }: { tag: string }) => tag), error.code], [["a", "b"], code]);
      }
      await breaking.close();
    }
    const { exitCode, stderr } = await dray(["ls", `${app}:1.0`]);
    assert.equal(exitCode, 2);
    assert.match(stderr, /without tag or digest/);
  });

  test("a limit ends the asking", async () => {
    registry.log.clear();
    await printed("ls", "--limit", "2", `${host}/many`);
    assert.equal(registry.log.count({ target: "tags/list" }), 1, "of three pages");
  });

  test("ls --sort created lists a broken tag too, and says that its time cannot be told", async () => {
    const shop = memoryRegistry();
    put(shop, "a", "1", image);
    put(shop, "a", "2", older);
    shop.addTags("a", ["broken"], digestOf(new Uint8Array(3)));
    const listener = await listen(shop.handler);
    const { exitCode, stdout, stderr } = await dray(["ls", "--sort", "created", `${listener.host}/a`]);
    assert.equal(exitCode, 3, stderr);
    assert.deepEqual(stdout.trim().split("\n").sort(), ["1", "2", "broken"]);
    assert.match(stderr, /Error: 1 tags of .* are broken/);
    assert.match(stderr, /Warning: broken: when it was created cannot be told: /);
    await listener.close();
  });

  test("tree", async () => {
    const tree = await printed("tree", `${app}:1.0`);
    const lines = tree.trimEnd().split("\n");
    assert.equal(lines.length, 4);
    assert.equal(lines[0]?.startsWith(`${app}:1.0  ${image.root.digest}  2 layers, `), true, lines[0]);
    assert.match(tree, new RegExp(`[├└]── application/spdx\\+json {2}${sbom.root.digest}`));
    assert.match(
      tree,
      new RegExp(`[├└]── signature application/vnd\\.dev\\.sigstore\\.bundle\\S+ {2}${signature.root.digest}`),
    );
    assert.match(tree, new RegExp(`[├└]── signature ${cosignTag} {2}${cosigned.root.digest}`));
    const multi = await printed("tree", `${app}:multi`);
    for (const platform of ["linux/amd64", "linux/arm64/v8", "windows/amd64"])
      assert.match(multi, new RegExp(`── ${platform} {2}sha256`));
    assert.match(multi, new RegExp(`── attestation.*about ${amd64?.root.digest}`));
    const { schemaVersion, reference, root } = JSON.parse(await printed("tree", "-o", "json", `${app}:1.0`));
    assert.deepEqual(
      [schemaVersion, reference, root.kind, root.digest, root.layers],
      [1, `${app}:1.0`, "image", image.root.digest, 2],
    );
    assert.deepEqual(
      new Set(root.referrers.map((each: { kind: string }) => each.kind)),
      new Set(["artifact", "signature"]),
    );
  });

  test("tree of an index that keeps some platforms alone: what is there is shown, the rest is marked and told", async () => {
    const sparse = memoryRegistry();
    if (amd64 !== undefined) put(sparse, "a", undefined, amd64);
    const root = index.manifests.get(index.root.digest);
    assert.ok(root);
    sparse.addManifest("a", root, "1");
    const listener = await listen(sparse.handler);
    const { exitCode, stdout, stderr } = await dray(["tree", `${listener.host}/a:1`]);
    assert.equal(exitCode, 3);
    assert.match(stdout, new RegExp(`linux/amd64 {2}${amd64?.root.digest} {2}\\d layer`));
    assert.match(stdout, new RegExp(`linux/arm64/v8 {2}${arm64?.root.digest} {2}missing: .*404`));
    assert.match(stderr, /not all of .*a:1 could be read: .*404.*, and \d more of it/);
    const document = JSON.parse((await dray(["tree", "-o", "json", `${listener.host}/a:1`])).stdout);
    assert.ok(
      document.root.manifests.some(({ kind, error }: { kind: string; error: string }) => kind === "missing" && error),
    );
    await listener.close();
  });

  test("tree of a registry that invents a referrer of each referrer ends, and says so", async () => {
    const inventive = memoryRegistry();
    put(inventive, "a", "1", image);
    const lister: Handler = async (request) => {
      const [, subject] = /\/referrers\/(.*)$/.exec(request.target) ?? [];
      if (subject === undefined) return inventive.handler(request);
      const made = sampleArtifact({ seed: subject, subject: { ...image.root, digest: subject as Digest } });
      put(inventive, "a", undefined, made);
      const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [made.root] });
      return answerWith(200, { "Content-Type": mediaTypes.ociIndex }, body)(request, inventive.handler);
    };
    const listener = await listen(lister);
    const { exitCode, stderr } = await dray(["tree", `${listener.host}/a:1`]);
    assert.equal(exitCode, 3);
    assert.match(stderr, /cut off below sha256:\w+: it is 16 levels deep/);
    const moved = await dray(["cp", "--referrers", `${listener.host}/a:1`, `oci:${at("inventive")}:1`]);
    assert.equal(moved.exitCode, 3, moved.stderr);
    assert.match(moved.stderr, /referrers refer to referrers more than 16 times/);
    await printed("validate", `oci:${at("inventive")}:1`);
    await listener.close();
  });

  test("an artifact manifest of the release candidates is copied, listed and checked as what it is", async () => {
    const old = memoryRegistry();
    put(old, "a", "1", image);
    const text = new TextEncoder().encode("signed");
    const blob = { mediaType: "application/jose+json", digest: old.addBlob("a", text), size: text.byteLength };
    const artifact = {
      mediaType: mediaTypes.ociArtifact,
      artifactType: "application/vnd.cncf.notary.signature",
      blobs: [blob],
      subject: { mediaType: image.root.mediaType, digest: image.root.digest, size: image.root.size },
    };
    const bytes = new TextEncoder().encode(JSON.stringify(artifact));
    const digest = old.addManifest("a", { mediaType: mediaTypes.ociArtifact, bytes }, "sig");
    const listed = {
      mediaType: mediaTypes.ociArtifact,
      digest,
      size: bytes.byteLength,
      artifactType: artifact.artifactType,
    };
    const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [listed] });
    const rules = [
      {
        target: `/referrers/${image.root.digest}`,
        effect: answerWith(200, { "Content-Type": mediaTypes.ociIndex }, body),
      },
    ];
    const listener = await listen(faults(old.handler, rules));
    const from = `${listener.host}/a`;
    assert.match(await printed("tree", `${from}:1`), /signature application\/vnd\.cncf\.notary\.signature {2}sha256/);
    assert.equal(await printed("manifest", `${from}:sig`), Buffer.from(bytes).toString());
    await printed("validate", `${from}:sig`);
    const layout = `oci:${at("artifact")}:1`;
    await printed("cp", "--referrers", `${from}:1`, layout);
    assert.match(await printed("tree", layout), /notary\.signature/);
    await listener.close();
  });

  test("encrypted layers are checked by their digests, and go into no archive that nobody could load", async () => {
    const shop = memoryRegistry();
    const layer = seededBytes("encrypted", 500);
    const config = new TextEncoder().encode(
      JSON.stringify({
        os: "linux",
        architecture: "amd64",
        rootfs: { type: "layers", diff_ids: [digestOf(seededBytes("inside", 9))] },
      }),
    );
    const of = (mediaType: string, bytes: Uint8Array) => ({
      mediaType,
      digest: shop.addBlob("a", bytes),
      size: bytes.byteLength,
    });
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: of(mediaTypes.ociConfig, config),
      layers: [of(`${mediaTypes.ociLayerGzip}+encrypted`, layer)],
    };
    shop.addManifest(
      "a",
      { mediaType: mediaTypes.ociManifest, bytes: new TextEncoder().encode(JSON.stringify(manifest)) },
      "1",
    );
    const listener = await listen(shop.handler);
    await printed("validate", `${listener.host}/a:1`);
    for (const form of ["tarball", "legacy"]) {
      const { exitCode, stderr } = await dray(["pull", "--format", form, `${listener.host}/a:1`, at("x.tar")]);
      assert.equal(exitCode, 1);
      assert.match(stderr, /is an encrypted layer.*oci-archive:FILE/);
    }
    await printed("cp", `${listener.host}/a:1`, `oci-archive:${at("encrypted.tar")}`);
    await listener.close();
  });

  test("validate", async () => {
    assert.equal(await printed("validate", "--remote", `${app}:1.0`), `PASS: ${app}:1.0\n`);
    assert.equal(await printed("validate", `${app}:multi`, `${app}:0.9`), `PASS: ${app}:multi\nPASS: ${app}:0.9\n`);
    assert.equal(await printed("validate", "--fast", `${app}:1.0`), `PASS: ${app}:1.0\n`);
    const { exitCode, stderr } = await dray(["validate"]);
    assert.equal(exitCode, 2);
    assert.match(stderr, /nothing to validate/);
  });

  test("what is not there ends with 5, what makes no sense with 2", async () => {
    const rows: readonly [words: string[], exitCode: number, says: RegExp][] = [
      [["digest", `${app}:nope`], 5, /nope/],
      [["manifest", `${app}:nope`], 5, /nope/],
      [["ls", `${host}/nope`], 5, /nope/],
      [["digest", "--platform", "linux/s390x", `${app}:multi`], 5, /linux\/s390x.*linux\/amd64/],
      [["config", `${host}/team/arm`], 5, /linux\/amd64/],
      [["manifest", `${app}/Upper`], 2, /lower case/],
      [["manifest", `${app}:bad tag`], 2, /tag/],
      [["manifest", "--platform", "a/b/c/d", app], 2, /platform "a\/b\/c\/d"/],
      [["manifest", "--platform", "linux/a,linux/b", `${app}:multi`], 2, /one platform/],
      [["digest"], 2, /image reference required without --tarball/],
      [["digest", "--tarball", "x.tar", "--full-ref"], 2, /cannot specify --full-ref with --tarball/],
      [["digest", "a", "b"], 2, /too many arguments/],
      [["manifest"], 2, /missing required argument/],
      [["manifest", "--ca-file", "/nonexistent", app], 2, /--ca-file \/nonexistent: no such file/],
      [["manifest", "--cert", "/x", app], 2, /both --cert and --key/],
      [["manifest", "--username", "x", app], 2, /--password-stdin/],
      [["ls", "--match", "/(/", app], 2, /\/\(\//],
      [["catalog", "bad host"], 2, /no host/],
      [["catalog", "http://r.test:5000"], 2, /leave the scheme out/],
      [["ls", "localhost:5000"], 2, /dray catalog localhost:5000/],
      [["manifest", "--platform", "linux/amd46", `${app}:multi`], 5, /team\/app:multi has no image for linux\/amd46/],
      [
        ["cp", "--platform", "linux/amd46", `${app}:multi`, "oci:out"],
        5,
        /team\/app:multi has no image for linux\/amd46/,
      ],
      [["tag", `${app}:1.0`, "team/other:2"], 2, /same repository; a copy is made by dray copy/],
      [["manifest", "oci:/nonexistent:x"], 5, /\/nonexistent/],
    ];
    for (const [words, exitCode, says] of rows) {
      const ended = await dray(words);
      assert.equal(ended.exitCode, exitCode, `${words.join(" ")}: ${ended.stderr}`);
      assert.match(ended.stderr, says);
      assert.match(ended.stderr, /^Error: [^\n]*\n$/);
      assert.equal(ended.stdout, "");
    }
  });
});
