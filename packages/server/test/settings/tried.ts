import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { variableOf } from "@dray/service/config";
import { temporaryFolder } from "@dray/testkit/files";
import { freePort } from "@dray/testkit/peers";
import type { Flags } from "../../src/config/index.ts";
import { table } from "../../src/config/keys/index.ts";
import type { Case, Places, Way } from "./case.ts";
import { cases } from "./cases/index.ts";
import { writeFiles } from "./files.ts";
import { HostProcess } from "./host-process.ts";
import { Registry } from "./registry.ts";
import { fileOf } from "./written.ts";

type Said = Readonly<Record<string, string>>;

const storages: Readonly<Record<NonNullable<Case["storage"]>, Said>> = {
  memory: { "storage.inmemory": "{}" },
  files: { "storage.filesystem.rootdirectory": "{data}/data" },
  none: {},
};

/** Tells of a registry what it is to be started with. */
export interface Saying {
  /** In the file. */
  readonly file: Said;
  readonly env?: Said;
  readonly flags?: Flags;
  /** What holds in the end. */
  readonly said: Said;
}

/** Starts registries in a process of their own, for the tests of a file. */
export class Trial {
  readonly #folder: string;
  #host: HostProcess | undefined;
  #count = 0;

  constructor(name: string) {
    this.#folder = temporaryFolder(`settings-${name}`);
    before(async () => {
      await writeFiles(join(this.#folder, "files"));
      this.#host = new HostProcess(this.#folder);
    });
    after(() => this.#host?.close());
  }

  async places(): Promise<Places> {
    const data = join(this.#folder, `registry${this.#count++}`);
    await mkdir(data);
    return { data, files: join(this.#folder, "files"), port: await freePort(), other: await freePort() };
  }

  async start({ file, env = {}, flags = {}, said }: Saying, places: Places): Promise<Registry> {
    const fill = (text: string): string =>
      text.replace(/\{(data|files|port|other)\}/g, (_, name: keyof Places) => String(places[name]));
    const filled = (said: Said): Said =>
      Object.fromEntries(Object.entries(said).map(([key, text]) => [key, fill(text)]));
    await this.write(filled(file), places);
    const sources = {
      file: join(places.data, "config.yml"),
      env: filled(env),
      flags: JSON.parse(fill(JSON.stringify(flags))) as Flags,
    };
    return Registry.start({ host: this.#host ?? assert.fail(), places, sources, said });
  }

  /** The configuration, which a reload reads. */
  async write(file: Said, places: Places): Promise<void> {
    const text = fileOf(file).replace(/\{(data|files|port|other)\}/g, (_, name: keyof Places) => String(places[name]));
    await writeFile(join(places.data, "config.yml"), text);
  }
}

/** What a case says in its file, without the key itself. */
export const baseOf = ({ storage = "memory", beside = {} }: Pick<Case, "storage" | "beside">): Said => ({
  version: '"0.1"',
  ...storages[storage],
  "http.addr": "127.0.0.1:0",
  ...beside,
});

const withValue = (one: Case, value: string | undefined): Said => {
  const { [one.key]: _, ...base } = baseOf(one);
  return value === undefined ? base : { ...base, [one.key]: value };
};

/** How a key is said in each way, with which of the two values, over what the ways before it say. */
const waysOf = (one: Case): readonly [name: string, value: 0 | 1, saying: Saying][] => {
  const [first, second] = one.values;
  const file = withValue(one, first);
  const variable = variableOf(table, one.key);
  const env = { [variable]: second };
  const said = (value: 0 | 1): Said => withValue(one, one.values[value]);
  const ways: Readonly<Record<Way, [string, 0 | 1, Saying]>> = {
    file: ["the file", 0, { file, said: said(0) }],
    variable: [variable, 1, { file, env, said: said(1) }],
    set: [`--set ${one.key}=…`, 0, { file, env, flags: { set: [`${one.key}=${first}`] }, said: said(0) }],
  };
  if (one.ways?.includes("variable") === false) return [ways.file, ["the file", 1, { file: said(1), said: said(1) }]];
  return (one.ways ?? ["file", "variable", "set"]).map((way) => ways[way]);
};

const watched = async (one: Case, registry: Registry): Promise<unknown> => {
  if (registry.refused === undefined) return one.see(registry);
  const { refused, places } = registry;
  const named = refused.includes(one.key.split(".")[0] ?? "") || refused.includes(places.files);
  assert.ok(named, `it names what is wrong: ${refused}`);
  return "refused";
};

/** The tests of the cases whose keys begin so. */
export const tryCases = (part: string, mine: (key: string) => boolean): void => {
  const trial = new Trial(part);
  for (const one of cases.filter(({ key }) => mine(key)))
    describe(one.key, () => {
      tryWays(trial, one);
      if (one.reloads !== false && !one.sees.includes("refused") && one.values[0] !== undefined) tryReload(trial, one);
    });
};

const tryWays = (trial: Trial, one: Case): void => {
  test(`${one.looksAt}: ${one.values.map((value) => value ?? "nothing said").join(" and ")}`, async () => {
    assert.notDeepEqual(one.sees[0], one.sees[1], "two values that look alike show nothing");
    for (const [name, which, saying] of waysOf(one)) {
      const places = await trial.places();
      const { around = (_: Places, work: () => Promise<void>) => work() } = one;
      await around(places, async () => {
        const registry = await trial.start(saying, places);
        try {
          assert.deepEqual(await watched(one, registry), one.sees[which], `said by ${name}`);
        } finally {
          await registry.stop();
        }
      });
    }
  });
};

const tryReload = (trial: Trial, one: Case): void => {
  const [first, second] = one.values;
  if (table.at.get(one.key)?.reloadable !== true)
    test("a change waits for a restart, and the log says so", async () => {
      const places = await trial.places();
      const registry = await trial.start({ file: withValue(one, first), said: {} }, places);
      try {
        await trial.write(withValue(one, second), places);
        assert.equal(await registry.reload(), undefined);
        await registry.reload();
        assert.match(
          registry.written("err"),
          new RegExp(`wait for a restart: (?:.*, )?${one.key}(?:,|"|\\n| [a-z]+=)`),
        );
      } finally {
        await registry.stop();
      }
    });
  else
    test("a change applies at once, and what is taken out goes back to its default", async () => {
      const places = await trial.places();
      const registry = await trial.start({ file: withValue(one, undefined), said: {} }, places);
      try {
        const steps = [undefined, second, undefined, first, second] as const;
        for (const [at, value] of steps.entries()) {
          await trial.write(withValue(one, value), places);
          if (at > 0) assert.equal(await registry.reload(), undefined);
          const expected = value === undefined ? one.without : one.sees[value === first ? 0 : 1];
          assert.deepEqual(await one.see(registry), expected, `step ${at}: ${value ?? "nothing said"}`);
        }
      } finally {
        await registry.stop();
      }
    });
};
