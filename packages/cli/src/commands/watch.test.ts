import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { answerWith, faults, listen, memoryRegistry, put, sampleImage } from "@dray/testkit";
import { type Commands, commands } from "../../test/commands.ts";

const image = (seed: string) =>
  sampleImage({ seed, layers: 1, layerSize: 10, config: { created: "2025-05-06T07:08:09Z" } });

/** A registry with an app of some tags. */
const begun = async (name: string): Promise<Commands & { readonly app: string }> => {
  const all = await commands(name);
  for (const tag of ["1.0", "1.1", "nightly"]) put(all.registry, "team/app", tag, image(tag));
  return { ...all, app: `${all.host}/team/app` };
};

const json = (text: string): unknown => JSON.parse(text) as unknown;

suite("watch", () => {
  test("scan says nothing of the first look, and what happened at the next; events keeps it", async () => {
    const { printed, app, registry } = await begun("watch-scan");
    assert.equal(await printed("watch", "scan", app), `${app}  3 tags  no news\n`);
    const two = put(registry, "team/app", "1.2", image("two"));
    put(registry, "team/app", "nightly", image("two"));
    assert.equal(await printed("watch", "scan", "--all", app), `${app}  4 tags  1 added, 1 moved\n`);
    const lines = (await printed("watch", "events")).trimEnd().split("\n");
    assert.equal(lines.length, 2);
    assert.match(
      lines.find((line) => line.includes("added")) ?? "",
      new RegExp(`^\\S+Z  added    ${app}:1.2  ${two.digest}$`),
    );
    assert.match(
      await printed("watch", "events", "--type", "tag.moved", app),
      /:nightly {2}sha256:\w+ -> sha256:\w+\n$/,
    );
    const { events } = json(await printed("watch", "events", "-o", "json")) as {
      events: { id: string; repository: string }[];
    };
    assert.equal(new Set(events.map(({ id }) => id)).size, 2);
    const after = json(await printed("watch", "events", "-o", "json", "--after", events[0]?.id ?? "")) as {
      events: unknown[];
    };
    assert.deepEqual(after.events, events.slice(1));
    assert.equal(await printed("watch", "events", "--limit", "1"), `${lines[0]}\n`);
  });

  test("what was selected holds for the scans to come, and the rest is never looked into", async () => {
    const { printed, app, registry } = await begun("watch-match");
    const scanned = await printed("watch", "scan", "--match", "1.*", "--exclude", "/0$/", app);
    assert.equal(scanned, `${app}  3 tags (1 selected)  no news\n`);
    assert.equal(registry.log.count({ method: "HEAD", target: /nightly|1\.0/ }), 0);
    await printed("watch", "scan", app);
    assert.equal(registry.log.count({ method: "HEAD", target: "/manifests/" }), 1);
    const shown = await printed("watch", "show", app);
    assert.match(shown, /3 tags, 1 selected \(1\.\*, not \/0\$\/\), 1 known/);
    assert.match(shown, /nightly {2}not selected/);
  });

  test("show knows a tag with what it named before, what it is, and what is gone", async () => {
    const { printed, refused, app, registry, done, at } = await begun("watch-show");
    const db = ["--db", at("other", "watch.db")];
    await done("watch", "scan", app, ...db);
    put(registry, "team/app", "1.1", image("two"));
    await done("watch", "scan", "--all", app, ...db);
    const shown = await printed("watch", "show", `${app}:1.1`, ...db);
    assert.match(shown, /released 2025-05-06T07:08:09Z, by its configuration/);
    assert.match(shown, /platforms linux\/amd64/);
    assert.match(shown, /before: sha256:\w+ {2}from \S+ to \S+\n$/);
    await done("delete", `${app}:1.0`);
    await done("watch", "scan", app, ...db);
    assert.doesNotMatch(await printed("watch", "show", app, ...db), /1\.0/);
    assert.match(await printed("watch", "show", "--gone", app, ...db), /1\.0 {2}gone, last seen \S+Z/);
    const { tags } = json(await printed("watch", "show", "-o", "json", app, ...db)) as { tags: { tag: string }[] };
    assert.deepEqual(
      tags.map(({ tag }) => tag),
      ["1.1", "nightly"],
    );
    await refused(5, /never seen to have a tag 9/, "watch", "show", `${app}:9`, ...db);
    await refused(5, /nothing is known of .*; look at it with dray watch scan/, "watch", "show", app);
  });

  test("list has every repository with its problem, and a scan that is not complete ends with 3 and says what is missing", async () => {
    const { printed, refused, done, app, host } = await begun("watch-list");
    await done("watch", "scan", app);
    await refused(
      3,
      /team\/none: its tags: .*\n.*1 of 2 repositories were not looked at completely/s,
      "watch",
      "scan",
      app,
      `${host}/team/none`,
    );
    const lines = (await printed("watch", "list")).trimEnd().split("\n");
    assert.match(lines[0] ?? "", new RegExp(`^${app} +3 tags  looked at \\S+Z$`));
    assert.match(lines[1] ?? "", /team\/none +0 tags .* NOT_FOUND since \S+Z$/);
    const { repositories } = json(await printed("watch", "list", "-o", "json")) as {
      repositories: { complete: boolean; counts: { tags: number } }[];
    };
    assert.deepEqual(
      repositories.map(({ complete, counts }) => [complete, counts.tags]),
      [
        [true, 3],
        [false, 0],
      ],
    );
    assert.equal(await printed("watch", "scan"), "", "nothing is due");
  });

  test("limits says what a registry allows and what is left, and a limit that is spent ends a scan, which the next one goes on with", async () => {
    const { refused, printed, dray } = await begun("watch-limits");
    const registry = memoryRegistry();
    for (const tag of ["1.0", "1.1"]) put(registry, "app", tag, image(tag));
    const spent = {
      target: "/manifests/1.1",
      nth: 1,
      effect: answerWith(429, {
        "Retry-After": "7200",
        "RateLimit-Limit": "100;w=21600",
        "RateLimit-Remaining": "0;w=21600",
      }),
    };
    const server = await listen(faults(registry.handler, [spent]));
    try {
      const app = `${server.host}/app`;
      await refused(3, /1 tag: .*(?:budget|limits us)/, "watch", "scan", "--max-wait", "1s", "--details", "0", app);
      assert.match(
        await printed("watch", "limits"),
        new RegExp(`^${server.host} {2}0 of 100 left in 21600 s, as of \\S+; not asked before \\S+Z\n$`),
      );
      const { limits } = json(await printed("watch", "limits", "-o", "json")) as { limits: { remaining: number }[] };
      assert.equal(limits[0]?.remaining, 0);
      const asked = registry.log.entries.length;
      assert.equal((await dray("watch", "scan", "--max-wait", "1s", app)).exitCode, 7, "the one reason");
      assert.equal(registry.log.entries.length, asked, "another process keeps to it, too");
    } finally {
      await server.close();
    }
  });

  test("explain says for each tag, or for one, why a policy chooses it or does not, by what is known alone", async () => {
    const { printed, refused, done, app, registry } = await begun("watch-explain");
    await done("watch", "scan", "--details", "1", app);
    registry.log.clear();
    const lines = (await printed("watch", "explain", app)).trimEnd().split("\n");
    assert.deepEqual(lines, [
      "older            1.0 fits, and 1.1 is newer.",
      "chosen           1.1 is the newest that fits.",
      "not-version      nightly is no version.",
    ]);
    assert.equal(
      await printed("watch", "explain", "--semver", "<1.1", `${app}:1.0`),
      "chosen           1.0 is the newest that fits.\n",
    );
    const aged = JSON.parse(await printed("watch", "explain", "-o", "json", "--min-age", "3d", app)) as unknown;
    const { chosen, verdicts } = aged as { chosen: string; verdicts: { tag: string; code: string }[] };
    assert.equal(chosen, "1.1", "its configuration says 2025");
    assert.deepEqual(
      verdicts.map(({ code }) => code),
      ["older", "chosen", "not-version"],
    );
    const young = await printed("watch", "explain", "--min-age", "3d", "--exclude", "1.1", `${app}:1.0`);
    assert.match(
      young,
      /^too-young {8}1\.0 was released \S+ ago/,
      "nobody has read it, and it was first seen just now",
    );
    await refused(5, /has no tag 7/, "watch", "explain", `${app}:7`);
    await refused(2, /range/, "watch", "explain", "--semver", "not a range", app);
    assert.equal(registry.log.entries.length, 0);
  });

  test("a file that knows nothing says how to begin, and one of which nothing is due says so", async () => {
    const { done, app } = await begun("watch-empty");
    for (const word of ["list", "scan"])
      assert.match((await done("watch", word)).stderr, /no repository is known yet; dray watch scan REPOSITORY/);
    await done("watch", "scan", app);
    assert.match((await done("watch", "scan")).stderr, /nothing is due/);
  });

  test("what makes no sense is refused", async () => {
    const { refused, app, at } = await begun("watch-usage");
    await refused(2, new RegExp(`without tag or digest; write ${app};?`), "watch", "scan", `${app}:1.0`);
    await refused(5, /there is no repository nowhere/, "watch", "scan", `${app.split("/")[0]}/nowhere`);
    await refused(
      5,
      /nothing is known of nowhere yet; look at it with dray watch scan nowhere/,
      "watch",
      "events",
      "nowhere",
    );
    await refused(
      5,
      /no tag of \S+\/nowhere is known: .*there is no repository/,
      "watch",
      "explain",
      `${app.split("/")[0]}/nowhere`,
    );
    await refused(2, /missing closing \)/, "watch", "scan", "--match", "/(/", app);
    await refused(2, /percentage/, "watch", "scan", "--reserve", "lots", app);
    await refused(2, /not a file of dray watch/, "watch", "list", "--db", at());
  });
});
