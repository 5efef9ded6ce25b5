/** What gcrane has beyond crane: ls -r, --long and --json, cp -r, gc. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import {
  answerWith,
  faults,
  googleListing,
  type Listener,
  listen,
  type MemoryRegistry,
  memoryRegistry,
  put,
  sampleArtifact,
  sampleImage,
  sampleIndex,
} from "@dray/testkit";
import type { Digest } from "dray/oci";
import { commands } from "../../test/commands.ts";

const day = 86_400_000;
const image = sampleImage({ seed: "app" });
const index = sampleIndex({ seed: "web" });
const old = sampleImage({ seed: "old" });
const signature = sampleArtifact({ seed: "sig", subject: image.root });
const recent = sampleImage({ seed: "recent" });

/** A registry with repositories below `team`, one tag of which stands for what another does. */
const filled = (): MemoryRegistry => {
  const memory = memoryRegistry();
  put(memory, "team/app", "1.0", image);
  memory.addTags("team/app", ["latest"], image.root.digest);
  for (const sample of [old, signature, recent]) put(memory, "team/app", undefined, sample);
  put(memory, "team/app/web", "1.0", index);
  put(memory, "other", "1.0", old);
  return memory;
};
const uploaded = (_: string, digest: Digest): number => Date.now() - (digest === recent.root.digest ? 0 : 30 * day);

const { dray, printed } = await commands("repositories");

describe("commands on many repositories", () => {
  const open: Listener[] = [];
  const served = async (memory: MemoryRegistry, google = true): Promise<string> => {
    const server = await listen(google ? googleListing(memory, { uploaded })(memory.handler) : memory.handler);
    open.push(server);
    return server.host;
  };
  const lines = async (...words: string[]): Promise<string[]> =>
    (await printed(...words)).split("\n").filter((line) => line !== "");

  after(() => Promise.all(open.map((server) => server.close())));

  test("ls --long: what lies below, then each digest with its tags; plain ls stays crane's", async () => {
    const host = await served(filled());
    assert.deepEqual(await lines("ls", `${host}/team/app`), ["1.0", "latest"]);
    const long = await lines("ls", "--long", `${host}/team/app`);
    assert.equal(long[0], `${host}/team/app/web`);
    const at = long.indexOf(`${host}/team/app@${image.root.digest}`);
    assert.deepEqual(long.slice(at + 1, at + 3), [`${host}/team/app:1.0`, `${host}/team/app:latest`]);
    assert.deepEqual(await lines("ls", "-l", `${host}/team/app`), long);
    assert.equal(long.length, 1 + 4 + 2);
    const elsewhere = await served(filled(), false);
    assert.deepEqual(await lines("ls", "--long", `${elsewhere}/team/app`), [
      `${elsewhere}/team/app:1.0`,
      `${elsewhere}/team/app:latest`,
    ]);
  });

  test("ls -r: all below a path, by Google's lists or by the catalog, or all that a registry has", async () => {
    const tags = (listed: readonly string[]): string[] => listed.filter((line) => !line.includes("@"));
    for (const google of [true, false]) {
      const host = await served(filled(), google);
      const below = await lines("ls", "-r", `${host}/team`);
      assert.deepEqual(tags(below), [`${host}/team/app:1.0`, `${host}/team/app:latest`, `${host}/team/app/web:1.0`]);
      assert.equal(below.length - tags(below).length, google ? 4 + 3 : 0);
      for (const flag of ["--recursive", "-R"]) assert.deepEqual(await lines("ls", flag, `${host}/team`), below);
      assert.deepEqual(tags(await lines("ls", "-r", `${host}/`)), [`${host}/other:1.0`, ...tags(below)]);
    }
  });

  test("ls --json is what the registry said, member by member; -o json a document", async () => {
    const host = await served(filled());
    const [line = "", ...more] = await lines("ls", "--json", `${host}/team/app`);
    assert.deepEqual(more, []);
    const said = JSON.parse(line);
    assert.deepEqual(Object.keys(said), ["child", "manifest", "name", "tags"]);
    assert.deepEqual([said.child, said.name, said.tags], [["web"], "team/app", ["1.0", "latest"]]);
    const manifest = said.manifest[image.root.digest];
    assert.deepEqual(Object.keys(manifest), ["imageSizeBytes", "mediaType", "timeCreatedMs", "timeUploadedMs", "tag"]);
    assert.deepEqual([manifest.mediaType, manifest.tag], [image.root.mediaType, ["1.0", "latest"]]);
    assert.match(manifest.timeUploadedMs, /^\d{13}$/);
    assert.equal((await lines("ls", "-r", "--json", `${host}/team`)).length, 3);
    const elsewhere = await served(filled(), false);
    assert.deepEqual(await lines("ls", "--json", `${elsewhere}/other`), [
      '{"child":null,"manifest":null,"name":"","tags":["1.0"]}',
    ]);
    const document = JSON.parse(await printed("ls", "-r", "-o", "json", `${host}/team`));
    assert.deepEqual(
      document.repositories.map((each: { repository: string; manifests: unknown[] }) => [
        each.repository,
        each.manifests.length,
      ]),
      [
        [`${host}/team`, 0],
        [`${host}/team/app`, 4],
        [`${host}/team/app/web`, 3],
      ],
    );
    const app = document.repositories[1].manifests.find(
      (each: { digest: string }) => each.digest === image.root.digest,
    );
    assert.deepEqual(Object.keys(app).sort(), ["created", "digest", "mediaType", "size", "tags", "uploaded"]);
  });

  test("flags that are about something else are refused", async () => {
    const host = await served(filled());
    for (const [words, says] of [
      [["ls", "-r", "--sort", "semver", `${host}/team`], /--sort is about tags alone/],
      [["ls", "--long", "--full-ref", `${host}/team`], /--full-ref is about tags alone/],
      [["ls", "--json", `${host}/team/app:1.0:/etc`], /--json is about tags/],
      [["ls", "-r", "oci:layout"], /"oci:layout" lies on no registry/],
      [["cp", "-r", "oci:layout", `${host}/x`], /"oci:layout" lies on no registry/],
      [["cp", "-r", `${host}/team`, `${host}/team/copy`], /lies in what is to be copied/],
      [["cp", "-r", `${host}/team`, `${host}/team`], /lies in what is to be copied/],
      [["cp", "-r", `${host}/`, `${host}/copy`], /lies in what is to be copied/],
      [["gc", "--grace", "1d", `${host}/team`], /--grace is about what --delete deletes/],
      [["gc", `${host}/team/app:1.0`], /expected a repository without tag or digest/],
      [["gc", "oci:layout"], /"oci:layout" lies on no registry/],
    ] as const) {
      const { exitCode, stderr } = await dray(...words);
      assert.equal(exitCode, 2, words.join(" "));
      assert.match(stderr, says);
    }
  });

  test("cp -r takes all below to other names, and the second time nothing", async () => {
    for (const [google, there] of [
      [true, true],
      [false, false],
    ] as const) {
      const [source, target] = [filled(), memoryRegistry()];
      const [from, to] = [await served(source, google), await served(target, there)];
      const dry = await lines("cp", "-r", "--dry-run", `${from}/team`, `${to}/mirror`);
      assert.equal(dry.length, google ? 3 + 3 + 2 : 3);
      assert.deepEqual(target.repositories(), []);
      await printed("cp", "-r", "-j", "2", `${from}/team`, `${to}/mirror`);
      assert.deepEqual(target.repositories(), ["mirror/app", "mirror/app/web"]);
      assert.deepEqual(target.tags("mirror/app"), ["1.0", "latest"]);
      assert.equal(target.manifest("mirror/app/web", "1.0")?.digest, index.root.digest);
      assert.equal(target.manifest("mirror/app", old.root.digest) !== undefined, google);
      target.log.clear();
      const again = JSON.parse(await printed("cp", "--recursive", "-o", "json", `${from}/team`, `${to}/mirror`));
      assert.deepEqual([again.roots, again.copied], [[], 0]);
      assert.deepEqual(
        target.log.entries.filter(({ method }) => method !== "GET" && method !== "HEAD"),
        [],
      );
    }
  });

  test("cp -r -n leaves tags that are there; with --referrers what refers to the same comes along", async () => {
    const [source, target] = [filled(), memoryRegistry()];
    const [from, to] = [await served(source, false), await served(target, false)];
    put(target, "mirror", "1.0", recent);
    await printed("cp", "-r", "-n", `${from}/team/app`, `${to}/mirror`);
    assert.equal(target.manifest("mirror", "1.0")?.digest, recent.root.digest);
    assert.equal(target.manifest("mirror", "latest")?.digest, image.root.digest);
    await printed("cp", "-r", `${from}/team/app`, `${to}/mirror`);
    assert.equal(target.manifest("mirror", "1.0")?.digest, image.root.digest);
    assert.equal(target.manifest("mirror", signature.root.digest), undefined);
    await printed("cp", "-r", "--referrers", `${from}/team/app`, `${to}/mirror`);
    assert.ok(target.manifest("mirror", signature.root.digest));
  });

  test("one repository that fails is told of, and the others are done", async () => {
    const [source, target] = [filled(), memoryRegistry()];
    const server = await listen(
      faults(source.handler, [{ target: "/v2/team/app/tags/list", effect: answerWith(403) }]),
    );
    open.push(server);
    const to = await served(target, false);
    for (const words of [
      ["cp", "-r", `${server.host}/team`, `${to}/mirror`],
      ["ls", "-r", `${server.host}/team`],
      ["gc", "-r", `${server.host}/team`],
    ]) {
      const { exitCode, stderr } = await dray(...words);
      assert.equal(exitCode, 3, words.join(" "));
      assert.match(stderr, new RegExp(`${server.host}/team/app: .*\\n.*1 repository could not be `, "s"));
    }
    assert.deepEqual(target.repositories(), ["mirror/app/web"]);
    const { exitCode } = await dray("gc", `${server.host}/team/app`);
    assert.equal(exitCode, 6);
  });

  test("gc prints what has no tag, and deletes nothing", async () => {
    const memory = filled();
    const host = await served(memory);
    const untagged = [old, signature, recent].map(({ root }) => `${host}/team/app@${root.digest}`);
    assert.deepEqual((await lines("gc", `${host}/team/app`)).sort(), untagged.sort());
    const children = index.images.map(({ root }) => `${host}/team/app/web@${root.digest}`);
    for (const flag of ["-r", "--recursive"])
      assert.deepEqual((await lines("gc", flag, `${host}/team`)).sort(), [...untagged, ...children].sort());
    const document = JSON.parse(await printed("gc", "-o", "json", `${host}/team/app`));
    assert.deepEqual([document.deletes, document.manifests.length], [false, 3]);
    assert.deepEqual(Object.keys(document.manifests[0]), [
      "repository",
      "digest",
      "mediaType",
      "size",
      "created",
      "uploaded",
    ]);
    assert.equal(memory.manifests("team/app").length, 4);
    const elsewhere = await served(filled(), false);
    // It tells no sizes, and none is made up.
    const [first] = JSON.parse(await printed("gc", "-o", "json", `${elsewhere}/team/app/web`)).manifests;
    assert.deepEqual(Object.keys(first), ["repository", "digest", "mediaType"]);
    assert.deepEqual(
      (await lines("gc", `${elsewhere}/team/app/web`)).sort(),
      children.map((each) => each.replace(host, elsewhere)).sort(),
    );
  });

  test("gc --delete deletes what nobody needs and is old enough", async () => {
    const memory = filled();
    const host = await served(memory);
    const gone = `${host}/team/app@${old.root.digest}\n`;
    assert.equal(await printed("gc", "--dry-run", `${host}/team/app`), gone);
    assert.equal(await printed("gc", "--delete", "--dry-run", "--grace", "7d", `${host}/team/app`), gone);
    assert.equal(await printed("gc", "--delete", "--grace", "60d", `${host}/team/app`), "");
    assert.equal(memory.manifests("team/app").length, 4);
    const { stdout, stderr } = await dray("gc", "--delete", "-r", `${host}/team`);
    assert.equal(stdout, gone);
    assert.match(stderr, /deleted 1 manifest of 1 repository/);
    assert.deepEqual(memory.manifests("team/app"), [image, signature, recent].map(({ root }) => root.digest).sort());
    assert.equal(memory.manifests("team/app/web").length, 3);
    const document = JSON.parse(await printed("gc", "--delete", "--grace", "0s", "-o", "json", `${host}/team/app`));
    assert.deepEqual(
      [document.deletes, document.dryRun, document.manifests],
      [true, false, [{ repository: `${host}/team/app`, digest: recent.root.digest, size: document.manifests[0].size }]],
    );
  });

  test("gc --delete says why it deletes nothing where something was pushed meanwhile", async () => {
    const memory = filled();
    const listing = googleListing(memory, { uploaded })(memory.handler);
    let lists = 0;
    const server = await listen((request) => {
      if (request.target.startsWith("/v2/team/app/tags/list") && ++lists === 2)
        put(memory, "team/app", "2.0", sampleImage({ seed: "pushed" }));
      return listing(request);
    });
    open.push(server);
    const { stdout, stderr } = await dray("gc", "--delete", `${server.host}/team/app`);
    assert.equal(stdout, "");
    assert.match(stderr, /team\/app: what was pushed meanwhile may need what was found.*run it again/);
    assert.ok(memory.manifests("team/app").includes(old.root.digest));
  });

  test("gc --delete where a registry lists tags alone finds what deleted images left, and says what it cannot know", async () => {
    const memory = filled();
    const host = await served(memory, false);
    const left = put(
      memory,
      "team/app",
      `${sampleImage({ seed: "gone" }).root.digest.replace(":", "-")}.sig`,
      sampleArtifact(),
    );
    const kept = await dray("gc", "--delete", `${host}/team/app`);
    assert.equal(kept.stdout, "");
    assert.match(kept.stderr, /how old that is is not known, so that it stays unless --grace 0s is said$/m);
    const { stdout, stderr } = await dray("gc", "--delete", "--grace", "0s", `${host}/team/app`);
    assert.doesNotMatch(stderr, /unless/);
    assert.equal(stdout, `${host}/team/app@${left.digest}\n`);
    assert.match(stderr, /does not list what has no tag/);
    assert.equal(memory.manifest("team/app", left.digest), undefined);
    assert.deepEqual(memory.tags("team/app"), ["1.0", "latest"]);
  });

  test("gc --delete on a registry that does not delete says so", async () => {
    const memory = filled();
    const server = await listen(
      googleListing(memory, { uploaded })(faults(memory.handler, [{ method: "DELETE", effect: answerWith(405) }])),
    );
    open.push(server);
    const { exitCode, stderr } = await dray("gc", "--delete", `${server.host}/team/app`);
    assert.equal(exitCode, 1);
    assert.match(stderr, /does not delete/);
  });

  test("where nothing goes well, and for one reason, that is the reason", async () => {
    const host = await served(filled(), false);
    const gone = await listen(memoryRegistry().handler);
    await gone.close();
    for (const source of ["team", "team/app/web"]) {
      const { exitCode, stderr } = await dray("cp", "-r", `${host}/${source}`, `${gone.host}/mirror`);
      assert.equal(exitCode, 1, stderr);
      assert.match(stderr, /Error: .*cannot reach/);
    }
    const denying = memoryRegistry({ access: { scheme: "basic", users: { ann: "a" } } });
    const denied = await dray("cp", "-r", `${host}/team`, `${await served(denying, false)}/mirror`);
    assert.equal(denied.exitCode, 6, denied.stderr);
  });

  test("cp -r says that every tag is copied anyway", async () => {
    const host = await served(filled(), false);
    const { exitCode, stderr } = await dray("cp", "-r", "-a", `${host}/team`, `${host}/mirror`);
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /--all-tags says nothing more beside --recursive/);
  });
});
