import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import {
  answerWith,
  cutResponse,
  faults,
  hold,
  listen,
  memoryRegistry,
  put,
  sampleArtifact,
  sampleImage,
  sampleIndex,
} from "@dray/testkit";
import { anonymous, bytesContent, connect, copy, layoutStore, open, type Registry } from "dray";
import { encodeJson, mediaTypes } from "dray/oci";
import { commands } from "../../test/commands.ts";

const image = sampleImage({ seed: "moving", docker: true });
const index = sampleIndex({ seed: "index", platforms: ["linux/amd64", "linux/arm64", "windows/amd64"] });
const [amd64, arm64] = index.images;
const sbom = sampleArtifact({ subject: image.root });

const { registry: source, host: from, home, at: path, dray, done, refused } = await commands("moving");
const { registry: target, host: to } = await commands("moving-to");
const app = `${from}/team/app`;

describe("commands that move", () => {
  const dest = (name: string): string => `${to}/${name}`;

  before(async () => {
    put(source, "team/app", "1.0", image);
    put(source, "team/app", "multi", index);
    put(source, "team/app", undefined, sbom);
  });

  test("cp: nothing on stdout, one sentence on stderr, the same digest", async () => {
    const { stdout, stderr } = await done("cp", `${app}:1.0`, dest("cp/one:1"));
    assert.equal(stdout, "");
    assert.match(
      stderr,
      new RegExp(`^copied ${app}:1.0 to ${dest("cp/one:1")}: ${image.root.digest} \\(4 moved, .*\\)\n$`),
    );
    assert.equal(target.manifest("cp/one", "1")?.digest, image.root.digest);
    assert.match((await done("copy", `${app}:1.0`, dest("cp/one:1"))).stderr, /0 moved, 0 B; 1 there already/);
    assert.equal((await done("cp", "-q", `${app}:1.0`, dest("cp/one:2"))).stderr, "");
  });

  test("cp --platform: one is the child, several are a trimmed index", async () => {
    await done("cp", "--platform", "linux/arm64", `${app}:multi`, dest("cp/platform:arm"));
    assert.equal(target.manifest("cp/platform", "arm")?.digest, arm64?.root.digest);
    const { stderr } = await done(
      "cp",
      "--platform",
      "linux/arm64,linux/amd64",
      `${app}:multi`,
      dest("cp/platform:two"),
    );
    assert.match(stderr, /^Warning: the new index is part of sha256/);
    const two = JSON.parse(String(new TextDecoder().decode(target.manifest("cp/platform", "two")?.bytes)));
    assert.deepEqual(
      two.manifests.map(({ digest }: { digest: string }) => digest),
      [amd64?.root.digest, arm64?.root.digest],
    );
    await refused(5, /s390x/, "cp", "--platform", "linux/s390x", `${app}:multi`, dest("cp/platform:none"));
  });

  test("cp -a: every tag, and a report of those that failed", async () => {
    await done("cp", "-a", app, dest("cp/all"));
    assert.deepEqual(target.tags("cp/all"), ["1.0", "multi"]);
    await done("cp", "-a", app, `oci:${path("all")}`);
    assert.equal((await done("ls", `oci:${path("all")}`)).stdout, "1.0\nmulti\n");
    await done("cp", "-a", `oci:${path("all")}`, dest("cp/back"));
    assert.deepEqual(target.tags("cp/back"), ["1.0", "multi"]);
    // A docker archive has whole references: those of a repository, or what another place has as names.
    const [first, second] = ["first", "second"].map((name) => `docker-archive:${path(`${name}.tar`)}`) as [
      string,
      string,
    ];
    await done("cp", "-a", "--platform", "linux/amd64", app, first);
    await done("cp", "-a", first, second);
    assert.equal((await done("ls", second)).stdout, `${app}:1.0\n${app}:multi\n`);
    const says = new RegExp(`"1\\.0" in oci:.*says no repository.*; copy each: dray copy oci:.*:1\\.0 .*:NAME:1\\.0`);
    await refused(2, says, "cp", "-a", `oci:${path("all")}`, `docker-archive:${path("third.tar")}`);
    assert.match((await done("cp", "-a", "-n", app, dest("cp/all"))).stderr, /skipping 1\.0.*\nskipping multi/);
    await refused(2, /names one tag/, "cp", "-a", `${app}:1.0`, dest("cp/all"));
    put(source, "team/broken", "good", image);
    source.addTags("team/broken", ["bad"], sbom.root.digest);
    const { stderr } = await refused(
      3,
      /Error: 1 of 2 images failed/,
      "cp",
      "-a",
      `${from}/team/broken`,
      dest("cp/broken"),
    );
    assert.match(stderr, /Warning: .*team\/broken:bad: /);
    assert.deepEqual(target.tags("cp/broken"), ["good"]);
  });

  test("cp -n never overwrites", async () => {
    await done("cp", "-n", `${app}:1.0`, dest("cp/clobber:1"));
    const says = new RegExp(`refusing to clobber existing tag ${dest("cp/clobber:1")}@${image.root.digest}`);
    await refused(1, says, "cp", "-n", `${app}:multi`, dest("cp/clobber:1"));
    await refused(1, says, "cp", "--no-clobber", `${app}:1.0`, dest("cp/clobber:1"));
    assert.equal(target.manifest("cp/clobber", "1")?.digest, image.root.digest);
  });

  test("cp --referrers takes along what refers to the image", async () => {
    await done("cp", "--referrers", `${app}:1.0`, dest("cp/referrers:1"));
    assert.ok(target.manifest("cp/referrers", sbom.root.digest));
    await done("cp", `${app}:1.0`, dest("cp/without:1"));
    assert.equal(target.manifest("cp/without", sbom.root.digest), undefined);
  });

  test("cp --dry-run does nothing and says what it would do", async () => {
    const { stdout, stderr } = await done("cp", "--dry-run", `${app}:1.0`, dest("cp/dry:1"));
    assert.equal(stdout, `${app}:1.0 -> ${dest("cp/dry:1")}: ${image.root.digest}\n`);
    assert.match(stderr, /^would have copied .* \(4 moved/);
    assert.deepEqual(target.tags("cp/dry"), []);
    const document = JSON.parse((await done("cp", "--dry-run", "-o", "json", `${app}:1.0`, dest("cp/dry:1"))).stdout);
    const { digest, mediaType, size } = image.root;
    assert.deepEqual(document.roots, [
      { source: `${app}:1.0`, destination: dest("cp/dry:1"), digest, mediaType, size },
    ]);
    assert.deepEqual([document.schemaVersion, document.dryRun, document.copied, document.skipped], [1, true, 4, 0]);
  });

  test("a password is for one registry", async () => {
    await refused(
      2,
      /--src-username or --dest-username/,
      "cp",
      "--username",
      "u",
      "--password",
      "p",
      `${app}:1.0`,
      dest("cp/p:1"),
    );
    await done("cp", "--src-username", "u", "--src-password", "p", `${app}:1.0`, dest("cp/p:1"));
  });

  test("pull: an archive for docker, a layout, the old form, a pipe", async () => {
    await done("pull", `${app}:1.0`, `${app}:multi`, path("two.tar"));
    const names = async (file: string): Promise<string> => (await done("ls", `docker-archive:${file}`)).stdout;
    assert.equal(await names(path("two.tar")), `${app}:1.0\n${app}:multi\n`);
    assert.match((await done("digest", "--tarball", path("two.tar"), `${app}:1.0`)).stdout, /^sha256:[0-9a-f]{64}\n$/);
    await done("pull", "--format=legacy", `${app}:1.0`, path("legacy.tar"));
    assert.equal(await names(path("legacy.tar")), `${app}:1.0\n`);
    await done("pull", "--format", "oci", `${app}:multi`, path("layout"));
    await done("pull", "--format", "oci", `${app}:multi`, path("layout"));
    const manifests = async (): Promise<{ digest: string; annotations?: Record<string, string> }[]> =>
      JSON.parse(await readFile(path("layout/index.json"), "utf8")).manifests;
    assert.deepEqual(
      (await manifests()).map(({ digest }) => digest),
      [index.root.digest],
      "once, unlike crane",
    );
    await done("pull", "--format", "oci", "--annotate-ref", `${app}:1.0`, path("layout"));
    assert.equal((await manifests())[1]?.annotations?.["org.opencontainers.image.ref.name"], `${app}:1.0`);
    const { bytes } = await done("pull", `${app}:1.0`, "-");
    await writeFile(path("piped.tar"), bytes);
    const digestOf = async (file: string): Promise<string> => (await done("digest", "--tarball", file)).stdout;
    assert.equal(await digestOf(path("piped.tar")), await digestOf(await pulled("one.tar")));
    await refused(2, /valid|choices/i, "pull", "--format", "nope", `${app}:1.0`, path("x"));
    await refused(2, /say where to: dray pull IMAGE\.\.\. PATH/, "pull", `${app}:1.0`);
    await refused(5, /nope/, "pull", `${app}:nope`, path("nothing.tar"));
    await assert.rejects(stat(path("nothing.tar")));
  });

  const pulled = async (name: string): Promise<string> => {
    await done("pull", `${app}:1.0`, path(name));
    return path(name);
  };

  test("push: prints what was pushed by its digest", async () => {
    const file = await pulled("push.tar");
    // An archive has no manifest: the digest is that of the one that is made for it.
    const digest = (await done("digest", "--tarball", file)).stdout.trimEnd();
    const { stdout } = await done("push", "--image-refs", path("refs"), file, dest("push/tar:1"));
    assert.equal(stdout, `${dest("push/tar")}@${digest}\n`);
    const pushed = JSON.parse(new TextDecoder().decode(target.manifest("push/tar", "1")?.bytes));
    const digestsOf = (layers: readonly { digest: string }[]): string[] => layers.map((layer) => layer.digest);
    assert.deepEqual([pushed.config.digest, digestsOf(pushed.layers)], [image.config.digest, digestsOf(image.layers)]);
    assert.equal(await readFile(path("refs"), "utf8"), stdout.trimEnd());
    assert.equal((await stat(path("refs"))).mode & 0o777, 0o600);
    const piped = await dray(["push", "-", dest("push/pipe:1")], { stdin: await readFile(file) });
    assert.deepEqual([piped.exitCode, piped.stdout], [0, `${dest("push/pipe")}@${digest}\n`], piped.stderr);
    await done("pull", "--format", "oci", `${app}:multi`, path("push-one"));
    assert.equal(
      (await done("push", path("push-one"), dest("push/layout:1"))).stdout,
      `${dest("push/layout")}@${index.root.digest}\n`,
    );
    await done("pull", "--format", "oci", `${app}:1.0`, path("push-one"));
    await refused(2, /consider --index/, "push", path("push-one"), dest("push/layout:2"));
    await done("push", "--index", path("push-one"), dest("push/layout:2"));
    assert.deepEqual(
      Buffer.from(target.manifest("push/layout", "2")?.bytes ?? ""),
      await readFile(path("push-one/index.json")),
    );
    await done("cp", `${app}:1.0`, `oci-archive:${path("oci.tar")}`);
    assert.equal(
      (await done("push", path("oci.tar"), dest("push/oci:1"))).stdout,
      `${dest("push/oci")}@${image.root.digest}\n`,
    );
    const saved = await readFile(path("oci.tar"));
    const pipedLayout = await dray(["push", "-", dest("push/pipe:2")], { stdin: saved });
    assert.equal(pipedLayout.stdout, `${dest("push/pipe")}@${image.root.digest}\n`, pipedLayout.stderr);
    for (const words of [
      ["digest", "--tarball", "-"],
      ["validate", "--tarball", "-"],
    ])
      assert.equal((await dray(words, { stdin: saved })).exitCode, 0);
    if (process.platform !== "win32") {
      execFileSync("mkfifo", [path("fifo")]);
      const [fromPipe] = await Promise.all([
        done("push", path("fifo"), dest("push/fifo:1")),
        writeFile(path("fifo"), saved),
      ]);
      assert.equal(fromPipe.stdout, `${dest("push/fifo")}@${image.root.digest}\n`);
    }
    await refused(5, /no such file or directory/, "push", path("missing.tar"), dest("push/x:1"));
    await refused(2, /--index/, "push", "--index", file, dest("push/x:1"));
    await writeFile(path("text.tar"), "no tar at all".repeat(100));
    await refused(1, /text\.tar/, "push", path("text.tar"), dest("push/x:1"));
  });

  test("an archive whose index names a platform that is not in it says which, and what to do", async () => {
    const [folder, file] = [path("sparse"), path("sparse.tar")];
    await done("cp", `${app}:multi`, `oci:${folder}:multi`);
    await rm(join(folder, "blobs", arm64?.root.digest.replace(":", "/") ?? ""));
    execFileSync("tar", ["-C", folder, "-cf", file, "blobs", "index.json", "oci-layout"]);
    for (const words of [
      ["push", file, dest("push/sparse:1")],
      ["cp", `oci-archive:${file}:multi`, dest("push/sparse:1")],
      ["cp", `oci-archive:${file}:multi`, `oci-archive:${path("whole.tar")}:multi`],
    ])
      await refused(5, /linux\/arm64.*; take what is there with --platform OS\/ARCH/, ...words);
    await done("cp", "--platform", "linux/amd64", `oci-archive:${file}:multi`, dest("push/sparse:1"));
  });

  test("an archive that was unpacked is to be packed again, and is called no layout", async () => {
    await mkdir(path("unpacked"));
    await writeFile(path("unpacked/manifest.json"), "[]");
    const { exitCode, stderr } = await dray(["cp", `docker-archive:${path("unpacked")}`, dest("push/unpacked:1")]);
    assert.equal(exitCode, 2);
    assert.match(stderr, /holds an archive that was unpacked: pack it again, tar -C \S+unpacked -cf FILE \./);
    assert.doesNotMatch(stderr, /oci:/);
  });

  test("who may not write hears that it cannot be written", async () => {
    const guarded = await listen(memoryRegistry({ access: { scheme: "basic", users: { ann: "secret" } } }).handler);
    const place = `${guarded.host}/push/x:1`;
    const says = new RegExp(
      `^Error: cannot write ${place}: looking for manifest ${guarded.host}/push/x@.* answered 401`,
    );
    await refused(6, says, "cp", `${app}:1.0`, place);
    await guarded.close();
  });

  test("push compresses what docker saved uncompressed", async () => {
    const plain = sampleImage({ seed: "plain", docker: true, compression: "none", layerSize: 50_000 });
    put(source, "team/plain", "1", plain);
    await done("pull", `${from}/team/plain:1`, path("plain.tar"));
    const { stdout, stderr } = await done("push", path("plain.tar"), dest("push/plain:1"));
    const pushed = JSON.parse(new TextDecoder().decode(target.manifest("push/plain", "1")?.bytes));
    assert.ok(pushed.layers.every(({ mediaType }: { mediaType: string }) => mediaType.endsWith("gzip")));
    assert.equal(stdout, `${dest("push/plain")}@${target.manifest("push/plain", "1")?.digest}\n`);
    assert.match(stderr, /\(4 moved/);
    await done("validate", dest("push/plain:1"));
    const again = await done("push", path("plain.tar"), dest("push/plain:1"));
    assert.equal(again.stdout, stdout);
    assert.match(again.stderr, /\(2 moved, .*; 1 there already; /);
  });

  test("one archive is one image, by the library, push, cp and digest", async () => {
    put(source, "team/one", "1", sampleImage({ seed: "one", docker: true, compression: "none", layerSize: 50_000 }));
    const library = (registry: string): Registry => connect(registry, { credentials: anonymous, stateDir: false });
    for (const format of ["tarball", "legacy"]) {
      const file = path(`one-${format}.tar`);
      await done("pull", "--format", format, `${from}/team/one:1`, file);
      await done("push", file, dest("one/push:1"));
      await done("cp", `docker-archive:${file}`, dest("one/cp:1"));
      const archive = await open(`docker-archive:${file}`);
      const { root } = await copy(archive, await open(dest("one/library:1"), { connect: library }));
      for (const name of ["push", "cp", "library"])
        assert.equal(target.manifest(`one/${name}`, "1")?.digest, root.digest, `${format}: ${name}`);
      for (const words of [["--tarball", file], [`docker-archive:${file}`]])
        assert.equal((await done("digest", ...words)).stdout, `${root.digest}\n`);
      const asIs = await open(dest("one/as-is:1"), { connect: library });
      const { digest } = await archive.store.resolve("");
      assert.equal((await copy(archive, asIs, { layers: "as-is" })).root.digest, digest);
      assert.notEqual(digest, root.digest);
    }
  });

  test("what has lost a blob behind a tag's back is mended by --force", async () => {
    await done("cp", `${app}:1.0`, dest("mended:v1"));
    await done("delete", "--blob", `${dest("mended")}@${image.config.digest}`);
    await refused(1, /not as the digests say/, "validate", dest("mended:v1"));
    await done("cp", `${app}:1.0`, dest("mended:v1"));
    await refused(1, /not as the digests say/, "validate", dest("mended:v1"));
    await done("cp", "--force", `${app}:1.0`, dest("mended:v1"));
    await done("validate", dest("mended:v1"));
  });

  test("tag and delete", async () => {
    await done("cp", `${app}:1.0`, dest("names:1"));
    assert.equal((await done("tag", dest("names:1"), "v1")).stdout, "");
    assert.equal(target.manifest("names", "v1")?.digest, image.root.digest);
    await refused(2, /tag "a\/b"/, "tag", dest("names:1"), "a/b");
    await refused(5, /nope/, "tag", dest("names:nope"), "v2");
    assert.equal((await done("delete", dest("names:v1"))).stdout, "");
    assert.deepEqual(target.tags("names"), ["1"]);
    await refused(5, /v1/, "delete", dest("names:v1"));
    await refused(5, /MANIFEST_UNKNOWN/, "delete", `${dest("names")}@${image.config.digest}`);
    await refused(2, /--blob: .* names no digest/, "delete", "--blob", dest("names:v1"));
    await done("delete", "--blob", `${dest("names")}@${image.config.digest}`);
    await refused(5, /BLOB_UNKNOWN/, "delete", "--blob", `${dest("names")}@${image.config.digest}`);
    await done("delete", `${dest("names")}@${image.root.digest}`);
    assert.deepEqual(target.tags("names"), []);
  });

  test("validate finds what is damaged", async () => {
    await done("pull", "--format", "oci", `${app}:1.0`, path("damaged"));
    const [layer] = image.layers;
    const file = path(`damaged/blobs/${layer?.digest.replace(":", "/")}`);
    const bytes = await readFile(file);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(file, bytes);
    const { stdout, stderr, exitCode } = await dray(["validate", `oci:${path("damaged")}`]);
    assert.equal(exitCode, 1, stderr);
    assert.match(stdout, new RegExp(`^FAIL: oci:${path("damaged")}: .*${layer?.digest}`));
    assert.equal((await done("validate", "--tarball", await pulled("good.tar"))).stdout, `PASS: ${path("good.tar")}\n`);
    const json = JSON.parse((await dray(["validate", "-o", "json", `oci:${path("damaged")}`])).stdout);
    assert.deepEqual([json.results[0].ok, json.results[0].findings[0].digest], [false, layer?.digest]);
    // Copying there again mends it, where it is asked to look.
    for (const flag of ["--force", "--verify"]) {
      await writeFile(file, bytes);
      await done("cp", flag, `${app}:1.0`, `oci:${path("damaged")}`);
      assert.match((await done("validate", `oci:${path("damaged")}`)).stdout, /^PASS/, flag);
    }
  });

  test("Ctrl-C ends with 130 and leaves nothing under a final name", async () => {
    const interrupt = new AbortController();
    const slow = faults(source.handler, [
      { method: "GET", target: "/blobs/", effect: hold(async () => interrupt.abort()) },
    ]);
    const server = await listen(slow);
    const { exitCode, stderr, stdout } = await dray(["pull", `${server.host}/team/app:1.0`, path("interrupted.tar")], {
      signal: interrupt.signal,
    });
    assert.deepEqual([exitCode, stdout], [130, ""], stderr);
    assert.match(stderr, /Error: interrupted\n$/);
    assert.ok(!(await readdir(home)).includes("interrupted.tar"));
    await server.close();
  });

  test("what a registry takes over by itself is no move, in words, numbers and events, and in a dry run", async () => {
    const shared = sampleImage({ seed: "shared", layers: 2, layerSize: 100_000 });
    put(target, "shared/from", "1", shared);
    const manifestBytes = shared.root.size;
    const counted = async (...words: string[]) => {
      const { stdout, stderr } = await done("--progress", "json", "cp", "-o", "json", ...words);
      const events = stderr
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as { event: string });
      const { copied, mounted, bytes, resumed } = JSON.parse(stdout);
      return { copied, mounted, bytes, resumed, events: events.filter(({ event }) => event === "mounted").length };
    };
    const all = { copied: 1, mounted: 3, bytes: manifestBytes, resumed: 0 };
    const dry = await counted("--dry-run", dest("shared/from:1"), dest("shared/to:1"));
    assert.deepEqual(dry, { ...all, events: 0 });
    assert.deepEqual(await counted(dest("shared/from:1"), dest("shared/to:1")), { ...all, events: 3 });
    assert.match((await done("cp", dest("shared/from:1"), dest("shared/words:1"))).stderr, /\(1 moved, .*; 3 mounted;/);
    // From elsewhere too: the registry has them in another repository. What is small goes in one request with its bytes.
    await done("cp", dest("shared/from:1"), `oci:${path("shared")}:1`);
    const { copied, mounted, bytes, events } = await counted(`oci:${path("shared")}:1`, dest("shared/again:1"));
    const sent = manifestBytes + shared.config.size;
    assert.deepEqual({ copied, mounted, bytes, events }, { copied: 2, mounted: 2, bytes: sent, events: 2 });
  });

  test("layers that lie elsewhere by licence: pull takes what the registry has, cp says once what it left", async () => {
    const windows = sampleImage({ seed: "windows", docker: true });
    put(source, "team/windows", undefined, windows);
    const urls = ["https://there.example/x"];
    const layers = windows.layers.map((layer) => ({ ...layer, mediaType: mediaTypes.dockerForeignLayer, urls }));
    const mediaType = mediaTypes.dockerManifest;
    const bytes = encodeJson({ schemaVersion: 2, mediaType, config: windows.config, layers });
    source.addManifest("team/windows", { mediaType, bytes }, "1");
    const image = `${from}/team/windows:1`;
    const left =
      /^Warning: 2 layers lie elsewhere by licence and were left out; --allow-nondistributable-artifacts takes such layers along$/gm;
    const { stderr } = await done("cp", image, dest("left/windows:1"));
    assert.equal(stderr.match(left)?.length, 1, stderr);
    assert.doesNotMatch(
      (await done("cp", "--allow-nondistributable-artifacts", image, dest("left/all:1"))).stderr,
      /left out/,
    );
    for (const format of ["tarball", "legacy", "oci"]) {
      const place = path(`windows.${format}`);
      assert.doesNotMatch((await done("pull", "--format", format, image, place)).stderr, /left out/, format);
      await done("validate", format === "oci" ? `oci:${place}` : `docker-archive:${place}`);
    }
    // What the registry does not have stays where it is, and is told of.
    const pulled = await done("pull", dest("left/windows:1"), path("without.tar"));
    assert.match(pulled.stderr, /2 layers lie elsewhere by licence and were left out/);
    await done("validate", "--tarball", path("without.tar"));
  });

  test("pull of what is no image as a tarball says so", async () => {
    put(
      source,
      "team/chart",
      "1",
      sampleArtifact({ seed: "chart", mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip" }),
    );
    const chart = `${from}/team/chart:1`;
    assert.match(
      (await done("pull", chart, path("chart.tar"))).stderr,
      /^Warning: sha256:.* is no image: .* \(oci-archive:FILE\)$/m,
    );
    assert.doesNotMatch((await done("pull", "--format", "oci", chart, path("chart"))).stderr, /Warning/);
    await done("cp", chart, `oci-archive:${path("chart.oci")}`);
    await done("validate", `oci-archive:${path("chart.oci")}`);
  });

  test("what did not come to its end says that what arrived is kept, and the same command goes on with it", async (t) => {
    const large = sampleImage({ seed: "kept", layers: 1, layerSize: 600_000 });
    const [layer] = large.layers;
    put(source, "team/kept", "1", large);
    const interrupt = new AbortController();
    const wait = async (): Promise<void> => interrupt.abort();
    const rules = [
      { method: "GET", target: `${layer?.digest}`, nth: 1, effect: cutResponse(300_000) },
      { method: "GET", target: `${layer?.digest}`, nth: 2, effect: hold(wait) },
    ];
    const server = await listen(faults(source.handler, rules));
    t.after(() => server.close());
    // The configuration is there: only the layer is on its way.
    const layout = layoutStore(path("kept"));
    await layout.write(large.config, bytesContent(large.blobs.get(large.config.digest) as Uint8Array));
    await layout.close();
    const words = ["--retry", "0", "cp", `${server.host}/team/kept:1`, `oci:${path("kept")}:1`];
    const kept = /^Error: .*; what arrived is kept, and the same command goes on with it\n$/m;
    const cut = await dray(words);
    assert.equal(cut.exitCode, 1, cut.stderr);
    assert.match(cut.stderr, kept);
    // The second one was interrupted before more had come.
    const interrupted = await dray(words, { signal: interrupt.signal });
    assert.deepEqual([interrupted.exitCode, interrupted.stderr], [130, "Error: interrupted\n"]);
    const { copied, resumed, bytes } = JSON.parse(
      (await done(...words.slice(0, 3), "-o", "json", ...words.slice(3))).stdout,
    );
    assert.deepEqual([copied, bytes + resumed], [2, (layer?.size ?? 0) + large.root.size]);
    assert.ok(resumed > 0 && resumed <= 300_000, `${resumed}`);
  });

  test("of what goes to a registry no more is promised than each registry keeps", async (t) => {
    const large = sampleImage({ seed: "promised", layers: 1, layerSize: 600_000 });
    const [layer] = large.layers;
    put(source, "team/promised", "1", large);
    const target = memoryRegistry();
    // Only the layer is on its way: the configuration is there, in a repository that is not new.
    put(target, "team/promised", "0", image);
    target.addBlob("team/promised", large.blobs.get(large.config.digest) as Uint8Array);
    const interrupt = new AbortController();
    const cut = { method: "GET", target: `${layer?.digest}`, nth: 1, effect: cutResponse(300_000) } as const;
    const held = { method: "PUT", target: "/manifests/", effect: hold(async () => interrupt.abort()) };
    const [server, there] = [await listen(faults(source.handler, [cut])), await listen(faults(target.handler, [held]))];
    t.after(() => Promise.all([server.close(), there.close()]));
    const words = ["--retry", "0", "cp", `${server.host}/team/promised:1`, `${there.host}/team/promised:1`];
    const { stderr } = await dray(words);
    assert.match(stderr, /cut the answer off .*; the same command goes on with what the registry has kept of it\n$/);
    const { exitCode, stderr: said } = await dray(words, { signal: interrupt.signal });
    assert.deepEqual(
      [exitCode, said],
      [130, "Error: interrupted; what arrived whole is kept, and the same command goes on with it\n"],
    );
  });

  test("an outage is one line, however much was on its way", async () => {
    const many = sampleImage({ seed: "outage", layers: 4 });
    put(source, "team/outage", "1", many);
    const away = { method: "GET", target: "/blobs/", nth: [1, 10], effect: answerWith(503) } as const;
    const server = await listen(faults(source.handler, [away]));
    const { stderr } = await done("cp", `${server.host}/team/outage:1`, `oci:${path("outage")}:1`);
    const told = stderr.split("\n").filter((line) => line.includes("trying again"));
    assert.equal(told.length, 1, stderr);
    assert.match(`${told[0]}`, new RegExp(`sha256:[0-9a-f]{12}: ${server.host} answered 503; trying again in`));
    await server.close();
  });

  test("progress for machines", async () => {
    const { stderr } = await done("cp", "--progress", "json", `${app}:1.0`, dest("progress:1"));
    const events = stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(events.filter(({ event }) => event === "done").length, 3);
    assert.equal(events[0].event, "plan");
    assert.deepEqual([events.at(-1).event, events.at(-1).copied], ["summary", 4]);
  });
});
