import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "dray/errors";
import { asyncProperty, constantFrom, assert as holds, shuffledSubarray, uniqueArray } from "fast-check";
import { readPolicy } from "../policy/index.ts";
import { type Choice, type ChooseOptions, chooseTag, explain, type ImageFacts, type Verdict } from "./index.ts";

const day = 86_400_000;
const now = Date.UTC(2026, 11, 1);

const choose = async (
  tags: string | readonly string[],
  document: unknown,
  options: ChooseOptions = {},
): Promise<Choice> =>
  chooseTag(typeof tags === "string" ? tags.split(" ") : tags, await readPolicy(document), { now, ...options });

/** Facts from a table, and who was asked for what. */
const told = (table: Readonly<Record<string, ImageFacts>>) => {
  const asked: string[] = [];
  const facts: ChooseOptions["facts"] = async (tag, wanted) => {
    asked.push(`${tag}:${wanted.join("+")}`);
    return table[tag] ?? {};
  };
  return { asked, facts };
};

test("the newest tag of each order", async () => {
  const rows: readonly [tags: string, policy: unknown, chosen: string | undefined][] = [
    ["1.2.0 1.10.0 1.9.0 2.0.0-rc.1 2.0.0-alpine latest", {}, "1.10.0"],
    ["1.2.0 1.10.0 2.0.0", { semver: { range: "^1" } }, "1.10.0"],
    ["1.0.0-rc9 1.0.0-rc10", { semver: { range: ">=1.0.0-0" } }, "1.0.0-rc10"],
    ["3 3.20 3.20.1 latest", {}, "3.20.1"],
    ["1.2 1.2.0", {}, "1.2.0"],
    ["1.2.0 v1.2.0", {}, "v1.2.0"],
    ["v1.2.0 1.2.0", {}, "v1.2.0"],
    ["17.0.9_9 17.0.9_10", {}, "17.0.9_10"],
    ["12345678 1.0.0 4f8a2c1 57123", {}, "1.0.0"],
    ["7.4-alpine 7.5 7.4.2-alpine", { filterTags: { glob: "*-alpine" } }, "7.4.2-alpine"],
    ["24.04 23.10 24.10", { calver: {} }, "24.10"],
    ["24.04 23.10 24.10", { calver: { order: "desc" } }, "23.10"],
    ["9 10 x 100", { numerical: {} }, "100"],
    ["9 10 x 100", { numerical: { order: "desc" } }, "9"],
    ["a c b latest", { alphabetical: {} }, "c"],
    ["a c b latest", { alphabetical: { order: "desc" } }, "a"],
    ["1.0 latest", { tag: "latest" }, "latest"],
    ["main-9 main-10 main-8", { numerical: {}, filterTags: { pattern: "^main-(?P<n>.*)$", extract: "$n" } }, "main-10"],
    ["latest nightly", {}, undefined],
    ["", {}, undefined],
  ];
  for (const [tags, policy, chosen] of rows) {
    const choice = await choose(tags, policy);
    assert.equal(choice.tag, chosen, `${tags} ${JSON.stringify(policy)}`);
    assert.equal(choice.tags, tags.split(" ").length);
  }
});

test("the order in which tags come, and how often, makes no difference; each says why", async () => {
  const tags = constantFrom(
    "1.0.0",
    "v1.0.0",
    "1.0",
    "1.0.0-rc9",
    "1.0.0-rc10",
    "2.0-slim",
    "10",
    "9",
    "a",
    "latest",
    "1.0.0_b",
    "24.04",
    "",
  );
  const policies = constantFrom<unknown>(
    {},
    { semver: { range: "<2", prerelease: true } },
    { numerical: {} },
    { calver: {} },
    { alphabetical: { order: "desc" } },
    { filterTags: { pattern: "^v?(.*)$", extract: "$1" } },
  );
  const several = uniqueArray(tags, { minLength: 1 }).chain((all) =>
    shuffledSubarray(all, { minLength: all.length }).map((mixed) => [all, mixed] as const),
  );
  await holds(
    asyncProperty(several, policies, async ([all, mixed], document) => {
      const [one, two] = [await choose(all, document), await choose([...mixed, ...mixed], document)];
      assert.equal(one.tag, two.tag);
      assert.deepEqual(one.collisions, two.collisions);
      const verdicts = all.map(one.why);
      assert.deepEqual(
        verdicts.filter(({ code }) => code === "chosen").map(({ tag }) => tag),
        one.tag === undefined ? [] : [one.tag],
      );
      for (const { code, text } of verdicts) assert.ok(code !== "not-asked" && text.endsWith("."), text);
      const policy = await readPolicy(document);
      assert.deepEqual(await Array.fromAsync(explain(all, policy)), verdicts);
    }),
    { numRuns: 60 },
  );
});

test("explain has a code and a sentence for each tag", async () => {
  const policy = await readPolicy({ semver: { range: "^1" }, filterTags: { exclude: "1.3.*" } });
  const tags = [
    "1.2.0",
    "1.2",
    "1.1.0",
    "2.0.0",
    "1.4.0-rc1",
    "1.2.0-alpine",
    "1.3.0",
    "latest",
    "nightly",
    "20240101",
    "",
  ];
  const said = (await Array.fromAsync(explain(tags, policy))).map(({ code, text }) => [code, text]);
  assert.deepEqual(said, [
    ["chosen", "1.2.0 is the newest that fits."],
    ["older", "1.2 fits, and 1.2.0 is newer."],
    ["older", "1.1.0 fits, and 1.2.0 is newer."],
    ["range", "2.0.0 is outside of ^1."],
    ["prerelease", "1.4.0-rc1 is a pre-release, and those were not asked for."],
    ["flavour", "1.2.0-alpine is of the flavour alpine, which was not asked for."],
    ["excluded", "1.3.0 fits 1.3.*, which is excluded."],
    ["latest", "latest moves, and is in no order; a policy of the tag latest alone takes it."],
    ["not-version", "nightly is no version."],
    ["build", "20240101 is a build, a date or a commit, and no version."],
    ["no-tag", '"" is empty.'],
  ]);
});

test("two tags that give one value are told, and the first by its name is taken", async () => {
  const policy = { semver: {}, filterTags: { pattern: "^(.*)-build\\.?([0-9]+)$", extract: "$1" } };
  const choice = await choose("1.0-build9 1.0-build10 0.9-build1 0.9-build.2 2-x 1.0-build10", policy);
  assert.equal(choice.tag, "1.0-build10");
  assert.deepEqual(choice.collisions, [
    { value: "1.0", tags: ["1.0-build10", "1.0-build9"] },
    { value: "0.9", tags: ["0.9-build.2", "0.9-build1"] },
  ]);
  assert.deepEqual(choice.why("1.0-build9"), {
    tag: "1.0-build9",
    code: "same-value",
    text: '1.0-build9 gives "1.0" as 1.0-build10 does, which comes first by its name.',
    value: "1.0",
  } satisfies Verdict);
  assert.deepEqual((await choose("1.0 1.0.0", {})).collisions, []);
});

test("a least age holds back what is younger, and never what has no time", async () => {
  const { asked, facts } = told({
    "1.3.0": { time: now - 3_600_000 },
    "1.2.0": { time: new Date(now - 4 * day).toISOString() },
  });
  const choice = await choose("1.1.0 1.2.0 1.3.0", { minAge: "3d" }, { facts });
  assert.deepEqual([choice.tag, choice.isAgeUnknown, asked], ["1.2.0", false, ["1.3.0:time", "1.2.0:time"]]);
  assert.deepEqual(choice.refused, [
    {
      tag: "1.3.0",
      code: "too-young",
      text: "1.3.0 was released 1h ago, and has to be 3d old.",
      until: now - 3_600_000 + 3 * day,
    },
  ]);
  for (const time of [undefined, 0, "1970-01-01T00:00:01Z", "1980-01-01T00:00:01Z", now + 400 * day]) {
    const unknown = await choose("1.2.0 1.3.0", { minAge: "3d" }, { facts: () => ({ time }) });
    assert.deepEqual([unknown.tag, unknown.isAgeUnknown], ["1.3.0", true], String(time));
  }
  const young = await choose("1.3.0 1.2.0", { minAge: "3d" }, { facts: () => ({ time: now }) });
  assert.deepEqual([young.tag, young.nearest.map(({ code }) => code)], [undefined, ["too-young", "too-young"]]);
});

test("platforms, signatures and SBOMs are asked from the newest down, no further than needed", async () => {
  const amd64 = { os: "linux", architecture: "amd64" };
  const arm64 = { os: "linux", architecture: "arm64", variant: "v8" };
  const { asked, facts } = told({
    "1.5.0": { error: "its manifest is missing" },
    "1.4.0": { platforms: [amd64], signature: true, sbom: true },
    "1.3.0": { platforms: [amd64, arm64], signature: false, sbom: true },
    "1.2.0": { platforms: [amd64, arm64], signature: true },
    "1.1.0": { platforms: [amd64, arm64], signature: true, sbom: true },
    "1.0.0": { platforms: [amd64, arm64], signature: true, sbom: true },
  });
  const policy = { platform: ["linux/arm64", "linux/amd64"], require: ["signature", "sbom"] };
  const choice = await choose("1.0.0 1.1.0 1.2.0 1.3.0 1.4.0 1.5.0 2.0-slim", policy, { facts });
  assert.equal(choice.tag, "1.1.0");
  assert.deepEqual(
    choice.refused.map(({ code, text }) => [code, text]),
    [
      ["unreadable", "1.5.0 cannot be read: its manifest is missing."],
      ["platform", "1.4.0 is not there for linux/arm64."],
      ["signature", "1.3.0 has no signature."],
      ["sbom", "1.2.0 has no SBOM."],
    ],
  );
  assert.equal(asked.length, 5);
  assert.ok(asked.every((each) => each.endsWith(":platforms+signature+sbom")));
  assert.equal(choice.why("1.0.0").code, "older");
  const few = await choose("1.4.0 1.3.0 1.2.0", policy, { facts, deepest: 2 });
  assert.deepEqual([few.tag, few.why("1.2.0").code], [undefined, "not-asked"]);
  const nothing = await choose("1.0.0", policy);
  assert.deepEqual([nothing.tag, nothing.nearest[0]?.code], [undefined, "platform"]);
});

test("by time each candidate is asked, once, and those without a time are left out", async () => {
  const { asked, facts } = told({
    a: { time: now - day },
    b: { time: now - 2 * day },
    c: { time: 0 },
    d: { error: "it is damaged" },
  });
  const choice = await choose("a b c d latest a", { created: {}, filterTags: { exclude: "x" } }, { facts });
  assert.equal(choice.tag, "a");
  assert.deepEqual(
    ["a", "b", "c", "d", "latest"].map((tag) => choice.why(tag).code),
    ["chosen", "older", "time-unknown", "unreadable", "latest"],
  );
  assert.deepEqual(asked.sort(), ["a:time", "a:time", "b:time", "c:time", "d:time"]);
  assert.equal((await choose("a b c", { created: { order: "desc" } }, { facts })).tag, "b");
  const aged = await choose(
    "a b",
    { created: {}, minAge: "36h", require: "sbom" },
    { facts: (tag, wanted) => (wanted.includes("sbom") ? { sbom: true } : facts(tag, wanted)) },
  );
  assert.deepEqual([aged.tag, aged.refused.map(({ code }) => code)], ["b", ["too-young"]]);
});

test("where nothing fits, what comes near is told", async () => {
  const rows: readonly [tags: string, policy: unknown, near: string[]][] = [
    [
      "1.0.0 2.1.0 2.0.0 latest",
      { semver: { range: "^3" } },
      ["2.1.0 is outside of ^3.", "2.0.0 is outside of ^3.", "1.0.0 is outside of ^3."],
    ],
    [
      "3.0.0-rc1 latest",
      { semver: { range: "^3" } },
      [
        "3.0.0-rc1 is a pre-release, and those were not asked for.",
        "latest moves, and is in no order; a policy of the tag latest alone takes it.",
      ],
    ],
    ["x y", { filterTags: { glob: "v*" } }, ["y does not fit v*.", "x does not fit v*."]],
    ["", {}, []],
  ];
  for (const [tags, policy, near] of rows) {
    const choice = await choose(tags, policy);
    assert.equal(choice.tag, undefined);
    assert.deepEqual(
      choice.nearest.map(({ text }) => text),
      near,
    );
  }
  assert.deepEqual((await choose("1.0.0 x", {})).nearest, []);
});

test("it stops when it is told to, and what facts throw ends it", async () => {
  const end = new AbortController();
  const facts = (): never => {
    throw new Error("no network");
  };
  await assert.rejects(choose("1.0.0", { require: "sbom" }, { facts }), /no network/);
  end.abort();
  await assert.rejects(choose("1.0.0", { require: "sbom" }, { signal: end.signal }), (error) =>
    isDrayError(error, "ABORTED"),
  );
});

test("a hundred thousand tags are few", async () => {
  async function* many(): AsyncGenerator<string> {
    for (let i = 0; i < 100_000; i++)
      yield `v${i % 10}.${Math.trunc(i / 10) % 1000}.${i}-${i % 3 === 0 ? "alpine" : `rc${i}`}`;
  }
  const policy = await readPolicy({ filterTags: { pattern: "-alpine$" }, require: "signature" });
  let asked = 0;
  const choice = await chooseTag(many(), policy, { facts: (tag) => ({ signature: ++asked === 3 && tag !== "" }) });
  assert.deepEqual([choice.tags, asked, choice.leftOut], [100_000, 3, { filtered: 66_666 }]);
  assert.match(choice.tag ?? "", /^v9\.99\d\.\d+-alpine$/);
  assert.equal(choice.why("v1.1.1-alpine").code, "older");
});
