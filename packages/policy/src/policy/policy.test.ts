import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "dray/errors";
import { isCandidate, readPolicy } from "./index.ts";

test("what a policy leaves out by its name, and why", async () => {
  const versions =
    "2.0.0 v1.10.0 1.9.0-rc10 1.9.0 1.9.0-alpine 1.8 1 latest Latest nightly 20240115 4f8a2c1 sha256-ab.sig".split(" ");
  const rows: readonly [policy: unknown, tags: readonly string[], codes: string][] = [
    [
      {},
      ["1.0.0", "1.0", "1.0.0-rc.1", "1.0-slim", "latest", "edge", "1234567", "", "sha256-ab"],
      "ok ok prerelease flavour latest not-version build no-tag digest-tag",
    ],
    [
      { semver: { range: "^1.9" } },
      versions,
      "range ok prerelease ok flavour range range latest latest not-version build build digest-tag",
    ],
    [{ semver: { range: "^1.9.0-0" } }, ["1.9.0-rc10", "1.9.0-alpine", "1.8.0-rc1"], "ok flavour range"],
    [{ semver: { prerelease: true } }, ["1.9.0-rc10", "1.9.0-alpine"], "ok flavour"],
    [{ semver: { strict: true } }, ["1.9.0", "v1.9.0", "1.9", "1.9.0-alpine"], "ok ok not-version prerelease"],
    [
      { semver: {}, filterTags: { glob: "*-alpine" } },
      ["1.9-alpine", "1.9", "1.9-rc1-alpine"],
      "ok filtered prerelease",
    ],
    [{ filterTags: { glob: "1.*" } }, ["1.9", "1.9-alpine", "2.0"], "ok flavour filtered"],
    [{ filterTags: { pattern: "-alpine$" } }, ["1.9-alpine", "1.9", "1.9-slim"], "ok filtered filtered"],
    [
      { filterTags: { pattern: "^1\\.", exclude: ["*.1", "/^1\\.2/"] } },
      ["1.0", "1.1", "1.2", "2.0"],
      "ok excluded excluded filtered",
    ],
    [
      { filterTags: { pattern: "^v(.*)-alpine$", extract: "$1" } },
      ["v1.9-alpine", "v1.9-rc1-alpine", "vx-alpine"],
      "ok prerelease not-version",
    ],
    [{ filterTags: { glob: ["1.*", "2.*"] } }, ["1.0", "2.0", "3.0"], "ok ok filtered"],
    [
      { calver: {} },
      ["2024.05.01", "1.2.3", "24.04-slim", "24.04-rc1", "latest"],
      "ok not-calver flavour prerelease latest",
    ],
    [{ calver: { prerelease: true, format: "YY.0M" } }, ["24.04-rc1", "2024.04"], "ok not-calver"],
    [{ numerical: {} }, ["12", "1.5", "1.2.3", "latest"], "ok ok not-number latest"],
    [{ alphabetical: {} }, ["b", "latest", "LATEST"], "ok latest latest"],
    [{ created: {} }, ["b", "latest"], "ok latest"],
    [{ created: {}, filterTags: { glob: "latest" } }, ["b", "latest"], "filtered ok"],
    [{ tag: "latest" }, ["1.0", "latest", "Latest"], "other-tag ok other-tag"],
  ];
  for (const [document, tags, codes] of rows) {
    const policy = await readPolicy(document);
    const found = tags.map((tag) => policy.judge(tag)).map((judged) => (isCandidate(judged) ? "ok" : judged.code));
    assert.equal(found.join(" "), codes, JSON.stringify(document));
  }
});

test("an ImagePolicy of Flux is read as it is there, whole or its spec", async () => {
  const spec = {
    imageRepositoryRef: { name: "app" },
    interval: "5m",
    policy: { semver: { range: ">=1.0.0-0" } },
    filterTags: { pattern: "^v?(?P<version>.*)$", extract: "$version" },
    digestReflectionPolicy: "IfNotPresent",
  };
  const whole = { apiVersion: "image.toolkit.fluxcd.io/v1", kind: "ImagePolicy", metadata: { name: "app" }, spec };
  for (const each of [spec, whole]) {
    const policy = await readPolicy(each);
    assert.deepEqual(policy.document, {
      semver: { range: ">=1.0.0-0", strict: true },
      filterTags: { pattern: "^v?(?P<version>.*)$", extract: "$version" },
      digestReflectionPolicy: "IfNotPresent",
    });
    assert.deepEqual(
      ["1.2.0", "v1.2.0-alpine", "1.2"].map((tag) => isCandidate(policy.judge(tag))),
      [true, true, false],
    );
  }
  for (const order of ["alphabetical", "numerical"] as const)
    assert.deepEqual((await readPolicy({ policy: { [order]: { order: "DESC" } } })).document, {
      [order]: { order: "desc" },
    });
});

test("what a policy has is read again from its document", async () => {
  const said = {
    calver: { format: "YYYY.0M" },
    minAge: "3d",
    platform: "linux/arm64",
    require: "sbom",
    filterTags: { glob: "2*" },
  };
  const { document, minAge, facts } = await readPolicy(said);
  assert.equal(minAge, 259_200_000);
  assert.deepEqual(facts, ["time", "platforms", "sbom"]);
  assert.deepEqual((await readPolicy(JSON.parse(JSON.stringify(document)))).document, document);
});

test("what is wrong is refused when it is set, with the nearest right word", async () => {
  const rows: readonly [policy: unknown, says: RegExp][] = [
    [{ semvr: {} }, /^policy: semvr is nothing that a policy has; did you mean semver\?$/],
    [{ semver: { rnage: "^1" } }, /semver\.rnage .*did you mean range\?/],
    [{ semver: { range: "new" } }, /policy: semver\.range: semver range "new": "new" is no version/],
    [{ semver: { range: 1.2 } }, /semver\.range is 1\.2; expected text, between quotes/],
    [{ semver: { strict: "yes" } }, /semver\.strict is "yes"; expected true or false/],
    [{ semver: "^1" }, /semver is "\^1"; expected an object with range, strict, prerelease/],
    [{ semver: {}, numerical: {} }, /semver and numerical are two orders/],
    [{ alphabetical: { order: "dec" } }, /alphabetical\.order is "dec"; did you mean desc\?/],
    [{ numerical: { order: "up" } }, /numerical\.order is "up"; expected asc, desc/],
    [
      { calver: { format: "YYYY.MN" } },
      /policy: calver\.format: calver format "YYYY\.MN": there is no part "MN"; did you mean MM\?/,
    ],
    [{ filterTags: { pattern: "(" } }, /policy: filterTags\.pattern: expression "\(": missing closing \)/],
    [{ filterTags: { extract: "$1" } }, /filterTags\.extract takes groups of filterTags\.pattern, which is not there/],
    [{ filterTags: { pattern: "(?P<n>1)", extract: "$m" } }, /policy: filterTags\.extract: extract "\$m"/],
    [{ filterTags: { glob: "{a" } }, /policy: filterTags\.glob: glob "\{a"/],
    [{ filterTags: { exclude: ["/(/"] } }, /policy: filterTags\.exclude: pattern \/\(\/: expression/],
    [
      { digestReflectionPolicy: "IfAbsent" },
      /digestReflectionPolicy is "IfAbsent"; expected Never, IfNotPresent, Always/,
    ],
    [{ digestReflectionPolicy: "alway" }, /did you mean Always\?/],
    [{ minAge: "3 days" }, /minAge is "3 days"; expected a duration such as 3d or 12h/],
    [{ minAge: -1 }, /minAge is -1/],
    [{ platform: "linux//x" }, /policy: platform: platform "linux\/\/x": expected os/],
    [{ require: "signatures" }, /require is "signatures"; did you mean signature\?/],
    [{ tag: "*" }, /tag is "\*", which is no tag/],
    [{ policy: { semvr: {} } }, /policy\.semvr .*did you mean semver\?/],
    ["semver", /expected an object with semver/],
    [[], /expected an object/],
  ];
  for (const [document, says] of rows)
    await assert.rejects(
      readPolicy(document),
      (error) => {
        assert.ok(isDrayError(error, "USAGE", "PLATFORM_INVALID"), String(error));
        assert.match(error.message, says);
        return true;
      },
      JSON.stringify(document),
    );
});
