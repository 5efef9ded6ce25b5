import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { answerWith, listen, memoryRegistry, put, sampleArtifact, sampleImage, sampleIndex } from "@dray/testkit";
import type { Handler } from "dray/http";
import { commands } from "../../test/commands.ts";

const { registry, host, at, dray, done, printed, refused } = await commands("latest", memoryRegistry({ pageSize: 50 }));
const app = `${host}/team/app`;
const day = 86_400_000;
const ago = (days: number): string => new Date(Date.now() - days * day).toISOString();
const image = (seed: string, created?: string) =>
  sampleImage({
    seed,
    ...(created === undefined ? {} : { annotations: { "org.opencontainers.image.created": created } }),
  });

/** What the registry was asked by one invocation: methods and what of, without the repository. */
const asked = async (...words: string[]): Promise<string[]> => {
  registry.log.clear();
  await done("latest", ...words);
  return registry.log
    .select()
    .filter(({ target }) => target !== "/v2/")
    .map(
      ({ method, target }) =>
        `${method} ${target
          .replace(/^\/v2\/team\/\w+\//, "")
          .replace(/sha256:[0-9a-f]{60,}/, "…")
          .replace(/\?.*/, "")}`,
    );
};

before(() => {
  const small = image("small");
  for (const tag of [
    "1.2.0",
    "1.10.0",
    "1.10",
    "1.9.0-rc10",
    "1.9.0-rc9",
    "2.0.0-rc.1",
    "1.11.0-alpine",
    "latest",
    "nightly",
    "20240115",
    "1234567",
  ])
    put(registry, "team/app", tag, small);
  for (const tag of ["7", "7.0.14", "7.0.15", "7.1.0-rc1", "6.9.9", "7.0.15-alpine", "7.0.14-alpine"])
    put(registry, "team/cache", tag, small);
  put(registry, "team/aged", "1.0.0", image("aged", ago(30)));
  put(registry, "team/aged", "1.1.0", image("aging", ago(5)));
  put(registry, "team/aged", "1.2.0", image("young", ago(1)));
  put(registry, "team/aged", "0.9-old", image("old", "1970-01-01T00:00:00Z"));
  const both = sampleIndex({ seed: "both" });
  put(registry, "team/many", "1.0.0", both);
  put(registry, "team/many", "1.1.0", sampleIndex({ seed: "both too", attestations: true }));
  put(registry, "team/many", "1.2.0", sampleImage({ seed: "amd64 alone" }));
  put(
    registry,
    "team/many",
    "1.3.0",
    sampleImage({ seed: "arm64 alone", platform: { os: "linux", architecture: "arm64" } }),
  );
  put(registry, "team/many", "1.4.0", sampleArtifact({ seed: "no image" }));
  const signed = image("signed");
  put(registry, "team/signed", "1.0.0", signed);
  put(registry, "team/signed", "1.1.0", image("unsigned"));
  put(registry, "team/signed", `${signed.root.digest.replace(":", "-")}.sig`, sampleArtifact({ seed: "cosign" }));
  const told = image("told");
  put(registry, "team/signed", "0.9.0", told);
  put(
    registry,
    "team/signed",
    undefined,
    sampleArtifact({ seed: "sbom", subject: told.root, artifactType: "application/spdx+json" }),
  );
  for (let i = 0; i < 120; i++) put(registry, "team/pages", `1.0.${i}`, small);
});

describe("latest", () => {
  test("prints the newest tag in the form that was asked", async () => {
    const rows: readonly [words: string[], tag: string][] = [
      [[], "1.10.0"],
      [["--semver", "<1.10"], "1.2.0"],
      [["--semver", ">=1.9.0-0 <1.10.0-0"], "1.9.0-rc10"],
      [["--prerelease"], "2.0.0-rc.1"],
      [["--prerelease", "--strict", "--semver", "1.x"], "1.11.0-alpine"],
      [["--glob", "*-alpine"], "1.11.0-alpine"],
      [["--glob", "1.2.*", "--glob", "1.9*", "--prerelease"], "1.9.0-rc10"],
      [["--exclude", "1.10*"], "1.2.0"],
      [["--exclude", "/^1\\.10/"], "1.2.0"],
      [["--calver"], "20240115"],
      [["--calver-format", "YYYY0M0D"], "20240115"],
      [["--numerical"], "20240115"],
      [["--numerical", "--filter", "^[0-9]{7}$"], "1234567"],
      [["--alphabetical"], "nightly"],
      [["--filter", "^(.*)-alpine$", "--extract", "$1"], "1.11.0-alpine"],
      [["--glob", "latest", "--alphabetical"], "latest"],
    ];
    for (const [words, tag] of rows)
      assert.equal(await printed("latest", ...words, app), `${app}:${tag}\n`, words.join(" "));
  });

  test("asks for the list alone, page by page, where names are enough", async () => {
    assert.deepEqual(await asked(app), ["GET tags/list"]);
    assert.deepEqual(await asked(`${host}/team/pages`), ["GET tags/list", "GET tags/list", "GET tags/list"]);
    assert.equal(await printed("latest", `${host}/team/pages`), `${host}/team/pages:1.0.119\n`);
  });

  test("pins to a digest by HEAD, and keeps one that is there without asking", async () => {
    const { digest } = put(registry, "team/app", "1.10.0", image("small"));
    const old = `sha256:${"a".repeat(64)}`;
    const rows: readonly [words: string[], reference: string, heads: number][] = [
      [["--digest", "never", app], `${app}:1.10.0`, 0],
      [["--digest", "always", app], `${app}:1.10.0@${digest}`, 1],
      [["--digest", "always", `${app}:1.10.0@${old}`], `${app}:1.10.0@${digest}`, 1],
      [["--digest", "if-absent", `${app}:1.10.0@${old}`], `${app}:1.10.0@${old}`, 0],
      [["--digest", "if-absent", `${app}:1.2.0@${old}`], `${app}:1.10.0@${digest}`, 1],
      [["--digest", "if-absent", app], `${app}:1.10.0@${digest}`, 1],
    ];
    for (const [words, reference, heads] of rows) {
      const requests = await asked(...words);
      assert.deepEqual(
        requests,
        ["GET tags/list", ...Array<string>(heads).fill("HEAD manifests/1.10.0")],
        words.join(" "),
      );
      assert.equal(await printed("latest", ...words), `${reference}\n`);
    }
  });

  test("with a tag it goes on from there: of the same flavour, and as exact", async () => {
    const cache = `${host}/team/cache`;
    const rows: readonly [running: string, words: string[], tag: string][] = [
      ["7.0.14", ["--semver", "^7.0"], "7.0.15"],
      ["7.0.15", [], "7.0.15"],
      ["7", [], "7"],
      ["7.0.14-alpine", [], "7.0.15-alpine"],
      ["7.1.0-rc1", [], "7.1.0-rc1"],
    ];
    for (const [running, words, tag] of rows)
      assert.equal(await printed("latest", ...words, `${cache}:${running}`), `${cache}:${tag}\n`, running);
    await refused(
      5,
      /none of 7 tags is newer than 9\.0\.0: 7\.0\.15 is not newer than 9\.0\.0;/,
      "latest",
      `${cache}:9.0.0`,
    );
  });

  test("a least age asks for images from the newest down, and no further", async () => {
    const aged = `${host}/team/aged`;
    assert.equal(await printed("latest", "--min-age", "3d", aged), `${aged}:1.1.0\n`);
    assert.deepEqual(await asked("--min-age", "3d", aged), [
      "GET tags/list",
      "HEAD manifests/1.2.0",
      "GET manifests/…",
      "HEAD manifests/1.1.0",
      "GET manifests/…",
    ]);
    const { stderr } = await done("latest", "--min-age", "3d", aged);
    assert.match(stderr, /1\.2\.0 was released 24h ago, and has to be 3d old/);
    await refused(
      5,
      /none of 4 tags fits: 1\.2\.0 was released 24h ago.*; one will be old enough in 33[45]d/,
      "latest",
      "--min-age",
      "365d",
      "--exclude",
      "0*",
      aged,
    );
    const unknown = await done("latest", "--min-age", "3d", "--glob", "*-old", aged);
    assert.equal(unknown.stdout, `${aged}:0.9-old\n`);
    assert.match(unknown.stderr, /Warning: 0\.9-old: when it was created is not known, so its age holds nothing back/);
  });

  test("platforms come from the index, else from the configuration", async () => {
    const many = `${host}/team/many`;
    assert.equal(await printed("latest", "--platform", "linux/amd64,linux/arm64", many), `${many}:1.1.0\n`);
    assert.equal(await printed("latest", "--platform", "linux/amd64", many), `${many}:1.2.0\n`);
    assert.deepEqual(await asked("--platform", "linux/arm64", many), [
      "GET tags/list",
      "HEAD manifests/1.4.0",
      "GET manifests/…",
      "HEAD manifests/1.3.0",
      "GET manifests/…",
      "GET blobs/…",
    ]);
    await refused(5, /is not there for windows/, "latest", "--platform", "windows", many);
  });

  test("a signature or an SBOM is looked for, wherever it is kept", async () => {
    const signed = `${host}/team/signed`;
    assert.equal(await printed("latest", "--require", "signature", signed), `${signed}:1.0.0\n`);
    assert.equal(await printed("latest", "--require", "sbom", signed), `${signed}:0.9.0\n`);
    await refused(
      5,
      /1\.1\.0 has no signature; 1\.0\.0 has no SBOM; 0\.9\.0 has no signature/,
      "latest",
      "--require",
      "sbom",
      "--require",
      "signature",
      signed,
    );
  });

  test("by time each image is asked about", async () => {
    const aged = `${host}/team/aged`;
    assert.equal(await printed("latest", "--created", aged), `${aged}:1.2.0\n`);
    assert.equal((await asked("--created", aged)).filter((each) => each.startsWith("GET manifests/")).length, 4);
  });

  test("explain has a line for each tag, and a document", async () => {
    const lines = (await printed("latest", "--explain", app)).split("\n");
    for (const line of [
      "chosen           1.10.0 is the newest that fits.",
      "older            1.2.0 fits, and 1.10.0 is newer.",
      "prerelease       2.0.0-rc.1 is a pre-release, and those were not asked for.",
      "flavour          1.11.0-alpine is of the flavour alpine, which was not asked for.",
      "build            20240115 is a build, a date or a commit, and no version.",
      "latest           latest moves, and is in no order; a policy of the tag latest alone takes it.",
    ])
      assert.ok(lines.includes(line), line);
    assert.equal(lines.length, 12);
    const { image: name, reference, verdicts } = JSON.parse(await printed("latest", "--explain", "-o", "json", app));
    assert.deepEqual([name, reference, verdicts.length], [app, `${app}:1.10.0`, 11]);
    assert.deepEqual(
      verdicts.find(({ tag }: { tag: string }) => tag === "nightly"),
      { tag: "nightly", code: "not-version", text: "nightly is no version." },
    );
    const none = await dray("latest", "--explain", "--semver", "^9", app);
    assert.equal(none.exitCode, 5);
    assert.match(none.stdout, /^range {12}1\.10\.0 is outside of \^9\.$/m);
  });

  test("-o json says what was found, and what was passed over", async () => {
    const found = JSON.parse(await printed("latest", "-o", "json", "--min-age", "3d", `${host}/team/aged`));
    const { created, refused: young, ...rest } = found;
    assert.deepEqual(rest, {
      schemaVersion: 1,
      image: `${host}/team/aged`,
      tag: "1.1.0",
      reference: `${host}/team/aged:1.1.0`,
      tags: 4,
      leftOut: { flavour: 1 },
      collisions: [],
    });
    assert.ok(Date.now() - Date.parse(created) > 4 * day);
    assert.deepEqual(
      young.map(({ tag, code }: { tag: string; code: string }) => [tag, code]),
      [["1.2.0", "too-young"]],
    );
  });

  test("tags that give one value are told", async () => {
    const words = ["latest", "--filter", "^(.*)-rc[0-9]+$", "--extract", "$1", app];
    const { stdout, stderr } = await done(...words);
    assert.equal(stdout, `${app}:1.9.0-rc10\n`);
    assert.match(stderr, /Warning: 1\.9\.0-rc10, 1\.9\.0-rc9 give one value, "1\.9\.0"; the first is taken/);
  });

  test("a list that does not end is not taken for a short one, and odd names in it hurt nobody", async () => {
    const next = { Link: '</v2/team/app/tags/list?last=again>; rel="next"' };
    const rows: readonly [answer: Handler, exitCode: number, stdout: string][] = [
      [answerWith(200, next, '{"tags":["1.0.0"]}'), 3, ""],
      [answerWith(200, {}, "<html>hello</html>"), 1, ""],
      [answerWith(200, {}, '{"tags":["1.0.0","","1.0.0","1.1.0","1.1.0","\\u001b[2J"]}'), 0, "1.1.0"],
      [answerWith(200, {}, '{"tags":null}'), 5, ""],
      [answerWith(500, {}, "no"), 1, ""],
    ].map(([answer, exitCode, tag]) => [
      (request) =>
        request.target.includes("/tags/list")
          ? (answer as ReturnType<typeof answerWith>)(request, registry.handler)
          : registry.handler(request),
      exitCode as number,
      tag as string,
    ]);
    for (const [handler, exitCode, tag] of rows) {
      const odd = await listen(handler);
      try {
        const ended = await dray("latest", "--retry", "0", `${odd.host}/team/app`);
        assert.equal(ended.exitCode, exitCode, ended.stderr);
        if (exitCode === 3) assert.match(ended.stderr, /goes round in circles.*what is not listed may be newer/);
        assert.equal(ended.stdout, tag === "" ? "" : `${odd.host}/team/app:${tag}\n`);
      } finally {
        await odd.close();
      }
    }
  });

  test("a layout is a place as well", async () => {
    await done("copy", `${app}:1.2.0`, `oci:${at("layout")}:1.2.0`);
    await done("copy", `${app}:1.10.0`, `oci:${at("layout")}:1.10.0`);
    assert.equal(await printed("latest", `oci:${at("layout")}`), `oci:${at("layout")}:1.10.0\n`);
    await refused(2, /names an image; name what it lies in/, "latest", `oci:${at("layout")}:1.2.0`);
  });

  test("what fits nothing ends with 5 and says what comes near; what makes no sense with 2, and nothing is asked", async () => {
    const rows: readonly [exitCode: number, says: RegExp, words: string[]][] = [
      [
        5,
        /team\/app: none of 11 tags fits: 2\.0\.0-rc\.1 is outside of \^9; 1\.10\.0 is outside of \^9; 1\.10 is outside of \^9/,
        ["--semver", "^9", app],
      ],
      [5, /team\/nothing/, [`${host}/team/nothing`]],
      [2, /semver range "\^a": "\^a" is no version/, ["--semver", "^a", app]],
      [2, /semver and numerical are two orders/, ["--semver", "1", "--numerical", app]],
      [2, /--prerelease is about versions/, ["--numerical", "--prerelease", app]],
      [2, /filterTags\.pattern: expression "\(": missing closing \)/, ["--filter", "(", app]],
      [2, /filterTags\.extract takes groups of filterTags\.pattern/, ["--extract", "$1", app]],
      [2, /"\$2" is no group of "\(a\)", which has \$1/, ["--filter", "(a)", "--extract", "$2", app]],
      [2, /no part "YYYI"; did you mean YYYY\?/, ["--calver-format", "YYYI", app]],
      [2, /Expected signature or sbom/, ["--require", "sig", app]],
      [2, /Allowed choices are never, if-absent, always/, ["--digest", "once", app]],
      [2, /Expected a duration such as/, ["--min-age", "3 days", app]],
    ];
    for (const [exitCode, says, words] of rows) {
      registry.log.clear();
      await refused(exitCode, says, "latest", ...words);
      if (exitCode === 2) assert.equal(registry.log.count(), 0, words.join(" "));
    }
  });
});
