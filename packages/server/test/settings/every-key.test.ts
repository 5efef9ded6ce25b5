import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Flag, type Key, variableOf } from "@dray/service/config";
import { table } from "../../src/config/keys/index.ts";
import { cases } from "./cases/index.ts";
import { baseOf, Trial } from "./tried.ts";

const supported = table.keys.filter(({ status }) => status === "supported");
const rest = table.keys.filter(({ status }) => status !== "supported");

test("each key that does something has its case, and no case is about anything else", () => {
  assert.deepEqual(cases.map(({ key }) => key).toSorted(), supported.map(({ path }) => path).toSorted());
});

test("the case of each key that a reload applies knows what is seen where nobody says it", () => {
  for (const { key, without, reloads } of cases)
    if (table.at.get(key)?.reloadable === true && reloads !== false) assert.notEqual(without, undefined, key);
});

const trial = new Trial("every-key");

describe("a flag of the command, and its variable", () => {
  const tryFlag = async ({ name, variable = "", key }: Flag): Promise<void> => {
    const one = cases.find((each) => each.key === key) ?? assert.fail(`${key} has no case`);
    const [first = "", second] = one.values;
    const member = name.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    const file = baseOf(one);
    const sayings = [
      [{ file, env: { [variable]: second }, said: {} }, 1],
      [{ file, env: { [variable]: second }, flags: { [member]: first }, said: {} }, 0],
    ] as const;
    for (const [saying, which] of sayings) {
      const registry = await trial.start(saying, await trial.places());
      try {
        assert.equal(registry.refused, undefined);
        assert.deepEqual(await one.see(registry), one.sees[which], which === 1 ? variable : name);
      } finally {
        await registry.stop();
      }
    }
  };
  for (const flag of table.flags ?? []) test(`${flag.name} and ${flag.variable}`, () => tryFlag(flag));
});

/** Something to say of a key that takes anything, where that is not enough. */
const samples: Readonly<Record<string, string>> = {
  "log.hooks": "[{type: mail, levels: [error]}]",
  "health.file": "[{file: /tmp/down}]",
  "notifications.endpoints": "[{name: one, url: 'http://127.0.0.1/'}]",
  middleware: "{storage: [{name: redirect}]}",
  "policy.repository.classes": "[image]",
  "http.tls.letsencrypt": "{cachefile: /tmp/cache}",
};
const sampleOf = ({ path, type }: Key): string =>
  samples[path] ?? { "true or false": "true", text: "words", number: "7" }[type.name] ?? "{a: b}";

describe("a key that does nothing here", () => {
  const tryKey = async (key: Key): Promise<void> => {
    const { path, status } = key;
    const base = baseOf({ storage: path.startsWith("storage.filesystem.") ? "files" : "memory" });
    const said = { ...base, [path]: sampleOf(key) };
    for (const saying of [
      { file: said, said },
      { file: base, env: { [variableOf(table, path)]: sampleOf(key) }, said },
    ]) {
      const registry = await trial.start(saying, await trial.places());
      try {
        if (status === "refused") assert.match(registry.refused ?? "", new RegExp(`${path}: is not supported`));
        else {
          assert.equal(registry.refused, undefined);
          const told = registry.warnings.filter((each) => each.includes(`${path}: has no effect`));
          assert.equal(told.length, status === "ignored" ? 1 : 0, registry.warnings.join());
        }
      } finally {
        await registry.stop();
      }
    }
  };
  const words = {
    refused: "is refused",
    ignored: "has no effect, and a warning says so",
    needless: "is taken without a word",
  };
  for (const key of rest)
    if (key.status !== "supported" && key.path !== "auth.none")
      test(`${key.path} ${words[key.status]}`, () => tryKey(key));

  test("auth.none is taken without a word", async () => {
    const registry = await trial.start({ file: { ...baseOf({}), auth: "none" }, said: {} }, await trial.places());
    assert.deepEqual([registry.refused, registry.warnings], [undefined, []]);
    await registry.stop();
  });
});
