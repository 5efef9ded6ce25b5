/** The same words to gcrane and to dray, about the same registries: one that answers in Google's form, and those of others. */
import assert from "node:assert/strict";
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
} from "@dray/testkit";
import { findPeer, startDockerRegistry, succeed } from "@dray/testkit/peers";
import { missing, type Sandbox, workshop } from "./dray.ts";

const gcrane = findPeer("gcrane");

const app = sampleImage({ seed: "app" });
const web = sampleIndex({ seed: "web", attestations: true });

/** Repositories with all that can be told of: several tags of one image, an index, what has no tag, a path that is none. */
const fill = (memory: MemoryRegistry): void => {
  put(memory, "team/app", "1.0", app);
  memory.addTags("team/app", ["latest", "1"], app.root.digest);
  put(memory, "team/app", "2.0", sampleImage({ seed: "two" }));
  put(memory, "team/app", undefined, sampleImage({ seed: "untagged" }));
  put(memory, "team/app", undefined, sampleArtifact({ seed: "signature", subject: app.root }));
  put(memory, "team/app/web", "1.0", web);
  put(memory, "team/deep/er/lib", "1.0", sampleImage({ seed: "lib" }));
  put(memory, "teammate", "1.0", app);
};

/** What a registry holds, tags and manifests of each repository. */
const held = (memory: MemoryRegistry): Record<string, unknown> =>
  Object.fromEntries(
    memory.repositories().map((name) => [
      name,
      {
        tags: memory.tags(name).map((tag) => [tag, memory.manifest(name, tag)?.digest]),
        manifests: memory.manifests(name),
      },
    ]),
  );

describe("dray and gcrane", { skip: missing(["gcrane", gcrane]) }, () => {
  const open: { close(): Promise<void> }[] = [];
  let at: Sandbox;
  const google = async (memory: MemoryRegistry): Promise<Listener> => {
    const server = await listen(googleListing(memory)(memory.handler));
    open.push(server);
    return server;
  };
  /** Lines that each prints, in an order of no meaning: gcrane's is another one each time. */
  const theirs = async (...words: string[]): Promise<string[]> =>
    linesOf(await succeed([gcrane as string, ...words], { env: { HOME: at.dir, DOCKER_CONFIG: at.dir } }));
  const ours = async (...words: string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await at.here(words);
    assert.equal(code, 0, `${words.join(" ")}: ${stderr}`);
    return linesOf(stdout);
  };

  before(async () => {
    at = await workshop();
  });
  after(async () => {
    for (const each of open) await each.close();
    await at.close();
  });

  test("ls, ls -r, ls --json, gc and gc -r print the same of a registry in Google's form", async () => {
    const memory = memoryRegistry();
    fill(memory);
    const { host } = await google(memory);
    for (const [words, our] of [
      [
        ["ls", `${host}/team/app`],
        ["ls", "--long", `${host}/team/app`],
      ],
      [
        ["ls", `${host}/team`],
        ["ls", "--long", `${host}/team`],
      ],
      [["ls", "-r", `${host}/team`]],
      [["ls", "--recursive", `${host}/team/app`]],
      [["ls", "--json", `${host}/team/app`]],
      [["ls", "--json", `${host}/team`]],
      [["ls", "-r", "--json", `${host}/team`]],
      [["gc", `${host}/team/app`]],
      [["gc", `${host}/team/app/web`]],
      [["gc", "-r", `${host}/team`]],
      [["gc", "--recursive", `${host}/team/deep`]],
    ] as const) {
      const expected = await theirs(...words);
      assert.deepEqual((await ours(...(our ?? words))).sort(), expected.sort(), words.join(" "));
    }
    // Each digest stands before its tags.
    const lines = await ours("ls", "--long", `${host}/team/app`);
    const image = lines.indexOf(`${host}/team/app@${app.root.digest}`);
    assert.deepEqual(
      lines.slice(image + 1, image + 4).sort(),
      ["1", "1.0", "latest"].map((tag) => `${host}/team/app:${tag}`),
    );
    assert.equal(lines[0], `${host}/team/app/web`);
  });

  test("cp -r leaves the same at its target, under the same names, also where some of it is there", async () => {
    const [source, one, other] = [memoryRegistry(), memoryRegistry(), memoryRegistry()];
    fill(source);
    const [from, mine, yours] = [await google(source), await google(one), await google(other)];
    for (const memory of [one, other]) {
      put(memory, "mirror/app", "1.0", sampleImage({ seed: "before" }));
      put(memory, "mirror/app", "more", sampleImage({ seed: "more" }));
      put(memory, "mirror/app/web", "1.0", web);
    }
    await theirs("cp", "-r", "-j", "2", `${from.host}/team`, `${yours.host}/mirror`);
    await ours("copy", "--recursive", "--jobs", "2", `${from.host}/team`, `${mine.host}/mirror`);
    assert.deepEqual(held(one), held(other));
    assert.deepEqual(one.repositories(), ["mirror/app", "mirror/app/web", "mirror/deep/er/lib"]);
  });

  test("a second cp -r without news asks no more of a registry in Google's form than gcrane", async () => {
    const [source, target] = [memoryRegistry(), memoryRegistry()];
    fill(source);
    const [from, to] = [await google(source), await google(target)];
    const words = ["cp", "-r", `${from.host}/team`, `${to.host}/mirror`];
    await ours(...words);
    const requests = async (run: () => Promise<unknown>): Promise<number> => {
      source.log.clear();
      target.log.clear();
      await run();
      return source.log.entries.length + target.log.entries.length;
    };
    const [our, their] = [await requests(() => ours(...words)), await requests(() => theirs(...words))];
    assert.ok(our <= their, `${our} requests, gcrane ${their}`);
  });

  test("elsewhere: the lines of ls are gcrane's, and cp -r and gc work where gcrane does nothing", async (context) => {
    const peer = await startDockerRegistry({ peer: "registry" });
    if (peer === undefined) return context.skip("there is no registry 3 here");
    open.push(peer);
    const ours3 = await listen(memoryRegistry().handler);
    open.push(ours3);
    for (const host of [peer.host, ours3.host]) {
      const source = memoryRegistry();
      fill(source);
      const { host: from } = await google(source);
      await ours("cp", "-r", `${from}/team`, `${host}/team`);
      assert.deepEqual(
        (await ours("ls", "--long", `${host}/team/app`)).sort(),
        (await theirs("ls", `${host}/team/app`)).sort(),
      );
      assert.deepEqual(
        await ours("ls", "--json", `${host}/team/app/web`),
        await theirs("ls", "--json", `${host}/team/app/web`),
      );
      // Without the referrers API a list of them has a tag.
      const listed = (await ours("ls", "-r", `${host}/team`)).filter((line) => !line.includes(":sha256-"));
      assert.deepEqual(
        listed,
        ["app:1", "app:1.0", "app:2.0", "app:latest", "app/web:1.0", "deep/er/lib:1.0"].map(
          (each) => `${host}/team/${each}`,
        ),
      );
      assert.deepEqual(await theirs("gc", `${host}/team/app/web`), []);
      const entries = [...web.manifests.keys()].filter((digest) => digest !== web.root.digest);
      assert.deepEqual(
        (await ours("gc", `${host}/team/app/web`)).sort(),
        entries.map((digest) => `${host}/team/app/web@${digest}`).sort(),
      );
      await ours("cp", "-r", `${host}/team`, `${host}/again`);
      assert.deepEqual(
        await ours("ls", "-r", `${host}/again`),
        (await ours("ls", "-r", `${host}/team`)).map((line) => line.replace("/team/", "/again/")),
      );
      const tag = `${sampleImage({ seed: "gone" }).root.digest.replace(":", "-")}.sig`;
      await ours("copy", `${host}/team/deep/er/lib:1.0`, `${host}/team/app:${tag}`);
      const left = await ours("digest", `${host}/team/app:${tag}`);
      assert.deepEqual(await ours("gc", "--delete", "--grace", "0s", `${host}/team/app`), [
        `${host}/team/app@${left[0]}`,
      ]);
      assert.deepEqual(await ours("ls", "-O", `${host}/team/app`), ["1", "1.0", "2.0", "latest"]);
      await ours("validate", "--remote", `${host}/team/app/web:1.0`);
    }
  });
});

const linesOf = (text: string): string[] => text.split("\n").filter((line) => line !== "");
