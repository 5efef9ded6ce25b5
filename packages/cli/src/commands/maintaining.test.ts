/** What an operator does to a volume, of a registry that runs and of one that nobody serves: the same words, the same answers, as text and as JSON. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { createRegistry, filesystemDriver, loadSettings, type Registry, serve, treePaths } from "@dray/server";
import { exchange, type SampleImage, sampleImage } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { type Rehearsed, rehearse } from "../../test/rehearse.ts";

let home: string;
let count = 0;
before(() => {
  home = temporaryFolder("maintaining");
});

/** A line of JSON for each thing, the last one with the result. */
type Line = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

interface Place {
  readonly data: string;
  /** Runs `dray serve WORDS` on the volume. */
  readonly said: (...words: string[]) => Promise<Rehearsed>;
  readonly json: (...words: string[]) => Promise<Rehearsed & { readonly lines: readonly Line[] }>;
}

/** Does something with the volume while nobody has it. */
const inside = async <T>(data: string, work: (registry: Registry) => Promise<T>): Promise<T> => {
  const driver = await filesystemDriver(data);
  const registry = createRegistry({ driver, recheckAfter: 0 });
  try {
    return await work(registry);
  } finally {
    await registry.close();
    await driver.close?.();
  }
};

const push = async (registry: Registry, repository: string, tag: string, image: SampleImage): Promise<void> => {
  for (const [digest, body] of image.blobs) {
    const target = `/v2/${repository}/blobs/uploads/?digest=${digest}`;
    assert.equal((await exchange(registry, "POST", target, { body })).status, 201);
  }
  const { bytes, mediaType } = image.manifests.get(image.root.digest) ?? assert.fail();
  const headers = { "Content-Type": mediaType };
  const { status } = await exchange(registry, "PUT", `/v2/${repository}/manifests/${tag}`, { body: bytes, headers });
  assert.equal(status, 201);
};

const remove = async (registry: Registry, repository: string, name: string): Promise<void> =>
  assert.equal((await exchange(registry, "DELETE", `/v2/${repository}/manifests/${name}`)).status, 202);

/** The same with a registry that runs on the volume, and without. */
const both = (
  name: string,
  prepare: (registry: Registry, data: string) => Promise<void>,
  look: (place: Place) => Promise<void>,
): void => {
  for (const isServed of [true, false])
    test(`${name}, ${isServed ? "of a registry that runs" : "of a volume that nobody serves"}`, async () => {
      const data = join(home, String(++count));
      await mkdir(data);
      await inside(data, (registry) => prepare(registry, data));
      const set = ["log.accesslog.disabled=true", "log.level=error"];
      const { settings } = loadSettings({ flags: { data, listen: "127.0.0.1:0", set } });
      const serving = isServed ? await serve(settings, { version: "test" }) : undefined;
      const said = (...words: string[]): Promise<Rehearsed> => rehearse(home, ["serve", ...words, "--data", data]);
      const json = async (...words: string[]): Promise<Rehearsed & { readonly lines: readonly Line[] }> => {
        const told = await said(...words, "-o", "json");
        const lines = told.stdout.trim().split("\n");
        return { ...told, lines: lines.map((line) => JSON.parse(line) as Line) };
      };
      try {
        await look({ data, said, json });
      } finally {
        await serving?.stop(AbortSignal.abort());
      }
    });
};

const now = ["--grace", "0", "--lease", "0"];
const [first, second] = [sampleImage({ seed: "first" }), sampleImage({ seed: "second" })];
const { digest } = first.root;
const pathOf = (data: string, path: string): string => join(data, path);

describe("what is kept because it cannot be read", () => {
  both(
    "gc names the repository, why and the remedy, and ends with 3",
    async (registry, data) => {
      await push(registry, "team/app", "v1", first);
      await push(registry, "team/other", "v1", second);
      await writeFile(pathOf(data, treePaths.blobPath(digest)), "{");
    },
    async ({ said, json }) => {
      const text = await said("gc", ...now);
      assert.equal(text.exitCode, 3, text.stderr);
      assert.match(
        text.stderr,
        /^Warning: everything in team\/app is kept: unreadable manifest sha256:[0-9a-f]+; push sha256:[0-9a-f]+ again, or delete it$/m,
      );
      assert.equal(text.stderr.match(/unreadable manifest/g)?.length, 1, text.stderr);
      assert.match(text.stdout, /^removed 0 manifests, /);
      const { exitCode, lines } = await json("gc", "--dry-run", ...now);
      const held = lines.at(-1)?.["collected"]?.["held"] as Readonly<Record<string, string>>[];
      assert.equal(exitCode, 3);
      assert.deepEqual(
        held.map(({ repository }) => repository),
        ["team/app"],
      );
      assert.match(held[0]?.["reason"] ?? "", new RegExp(digest));
      assert.match(held[0]?.["remedy"] ?? "", /push|delete/);
    },
  );
});

describe("what was deleted", () => {
  const prepare = async (registry: Registry): Promise<void> => {
    await push(registry, "team/app", "v1", first);
    await remove(registry, "team/app", digest);
  };
  both("is restored by its digest", prepare, async ({ said, json }) => {
    const text = await said("restore", `team/app@${digest}`);
    assert.equal(text.exitCode, 0, text.stderr);
    const [restored = "", ...others] = text.stdout.trimEnd().split("\n");
    assert.match(restored, new RegExp(`^restored manifest team/app@${digest}; made \\d+ links?$`));
    assert.deepEqual(others, [
      "no tag stands for it",
      `deleted tags that stood for it: v1; dray serve restore --tags team/app@${digest} puts them back`,
    ]);
    const again = await json("restore", `team/app@${digest}`);
    const { links, missing, tags, formerTags } = again.lines[0]?.["restored"] ?? {};
    assert.deepEqual([links, missing, tags, formerTags], [0, [], [], [{ tag: "v1" }]]);
    const tagged = await json("restore", "--tags", `team/app@${digest}`);
    assert.deepEqual(tagged.lines[0]?.["restored"]?.["tags"], ["v1"]);
  });
  both("is restored by its tag", prepare, async ({ json, said }) => {
    const { exitCode, lines, stderr } = await json("restore", "team/app:v1");
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual([lines[0]?.["restored"]?.["digest"], lines[0]?.["restored"]?.["tag"]], [digest, "v1"]);
    assert.match((await said("verify", "--rate", "1GiB")).stdout, /^1 tag, 1 manifest, .*: whole\n$/);
  });
  both("and is gone cannot be restored, which is said", prepare, async ({ said }) => {
    assert.match((await said("gc", ...now)).stdout, /^removed 0 manifests, \d+ links, \d+ blobs, /);
    const { exitCode, stderr } = await said("restore", `team/app@${digest}`);
    assert.deepEqual([exitCode, /gone|not here|no data/.test(stderr)], [5, true], stderr);
  });
  both("leaves a repository that --empty takes", prepare, async ({ said, json }) => {
    await said("gc", ...now);
    const dry = await json("gc", ...now, "--empty", "--dry-run");
    assert.ok(dry.lines.some(({ decision }) => decision?.["kind"] === "repository" && decision["action"] === "remove"));
    assert.equal(dry.lines.at(-1)?.["collected"]?.["repositories"], 1);
    const text = await said("gc", ...now, "--empty");
    assert.deepEqual([text.exitCode, text.stdout.startsWith("removed 1 repository, ")], [0, true], text.stdout);
    assert.match((await said("du")).stdout, /^0 repositories: /m);
  });
});

describe("signatures whose image is gone", () => {
  const [sig, strange] = [digest, `sha256:${"0".repeat(64)}`].map((subject) => `${subject.replace(":", "-")}.sig`);
  both(
    "are listed, and removed where the image was here",
    async (registry) => {
      await push(registry, "team/app", "v1", first);
      for (const tag of [sig, strange]) await push(registry, "team/app", tag ?? "", second);
      await remove(registry, "team/app", digest);
    },
    async ({ said, json }) => {
      const dry = await json("gc", ...now, "--orphans", "--dry-run");
      const tags = dry.lines.flatMap(({ decision }) => (decision?.["kind"] === "tag" ? [decision] : []));
      assert.deepEqual(Object.fromEntries(tags.map(({ id, action }) => [id, action])), {
        [strange ?? ""]: "keep",
        [sig ?? ""]: "remove",
      });
      const text = await said("gc", ...now, "--orphans");
      assert.equal(text.exitCode, 0, text.stderr);
      assert.match(text.stdout, new RegExp(`^remove tag +team/app:${sig} \\(.+\\)$`, "m"));
      assert.match(text.stdout, new RegExp(`^keep +tag +team/app:${strange} \\(.+\\)$`, "m"));
      assert.match(text.stdout, /^removed 1 tag, /m);
    },
  );
});

describe("damaged data", () => {
  const [layer = ""] = [...first.blobs.keys()].filter((each) => each !== digest);
  const damage = async (registry: Registry, data: string): Promise<void> => {
    await push(registry, "team/app", "v1", first);
    await writeFile(
      pathOf(data, treePaths.blobPath(layer as typeof digest)),
      first.blobs.get(layer as typeof digest)?.map((each) => each ^ 1) ?? "",
    );
  };
  both("is put aside, with where it lies and what brings it back", damage, async ({ said, json }) => {
    const aside = await json("verify", "--rate", "1GiB", "--quarantine");
    assert.equal(aside.exitCode, 1, aside.stderr);
    const findings = aside.lines.flatMap(({ finding }) => (finding === undefined ? [] : [finding]));
    assert.deepEqual(
      findings.map(({ kind, putAside }) => [kind, putAside]),
      [["data", `dray/quarantine/${layer.replace(":", "/")}`]],
    );
    assert.equal(aside.lines.at(-1)?.["verified"]?.["quarantined"], 1);
    const after = await said("verify", "--rate", "1GiB");
    assert.equal(after.exitCode, 1);
    assert.match(after.stdout, new RegExp(`^blob team/app@${layer}: its data is missing; push an image with it`));
  });
});

describe("what takes the space", () => {
  both(
    "is told of each repository, the largest first",
    async (registry) => {
      await push(registry, "team/app", "v1", first);
      await push(registry, "team/copy", "v1", first);
      await push(registry, "team/other", "v1", second);
      await push(registry, "team/other", "v2", sampleImage({ seed: "third", layerSize: 5000 }));
    },
    async ({ said, json }) => {
      const { exitCode, lines, stderr } = await json("du");
      assert.equal(exitCode, 0, stderr);
      const rows = lines.slice(0, -1) as unknown as Readonly<Record<string, number | string>>[];
      assert.deepEqual(
        Object.fromEntries(rows.map(({ repository, tags, manifests }) => [repository, [tags, manifests]])),
        {
          "team/app": [1, 1],
          "team/copy": [1, 1],
          "team/other": [2, 2],
        },
      );
      const size = (name: string): number => Number(rows.find(({ repository }) => repository === name)?.["bytes"]);
      assert.equal(rows[0]?.["repository"], "team/other");
      assert.equal(rows[0]?.["own"], size("team/other"), "nobody else has its content");
      assert.equal(rows.find(({ repository }) => repository === "team/copy")?.["own"], 0, "team/app has it, too");
      assert.equal(lines.at(-1)?.["total"]?.["bytes"], size("team/app") + size("team/other"));
      const text = await said("du");
      assert.match(text.stdout, /^ +OWN +ALL +TAGS +REPOSITORY\n.* 2 +team\/other\n/);
      assert.match(text.stdout, /\n3 repositories: \d+ blobs, .* in all, 0 B of it in no repository\n$/);
    },
  );
});
