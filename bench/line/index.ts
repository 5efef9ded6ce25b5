/** Dray and its peers over a long line: `npm run bench -- line`, or one of these by its name. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Input } from "../input.ts";
import { measure } from "../measure.ts";
import { type Bench, contenders, everyone, type Measurement } from "../measurements.ts";
import {
  type Command,
  copyArguments,
  digestArguments,
  type Place,
  pullLayoutArguments,
  regctlConfig,
} from "../programs.ts";
import { image, load, within, withServers } from "../registries.ts";
import { large3, platforms8, small40, tags20 } from "./inputs.ts";
import type { Line } from "./relay.ts";
import { startRelay, type Traffic } from "./start-relay.ts";

const long: Line = { roundTrip: 50, rate: 400 };
/** A registry that is careful: what crane asks of it stays within. */
const limits: Line = { ...long, connections: 12, requests: 60 };

const [repository] = image.split(":") as [string];

interface Ends {
  readonly from: Place;
  readonly to: Place;
  readonly dir: string;
}

type Arguments = (name: Command, ends: Ends) => readonly string[];

interface Work {
  readonly title: string;
  readonly names: readonly Command[];
  readonly arguments: Arguments;
}

const copying: Arguments = (name, { from, to }) => copyArguments(name, from, to, image);
const copyingAll: Arguments = (name, { from, to }) => {
  const [command, ...args] = copyArguments(name, from, to, repository);
  return [command as string, ...(name === "crane" ? ["--all-tags"] : ["-a"]), ...args];
};
const pulling: Arguments = (name, { from, dir }) => pullLayoutArguments(name, from, image, join(dir, "out"));
const resolving: Arguments = (name, { from }) => digestArguments(name, from, image);

const works: readonly (readonly [input: () => Promise<Input>, ...works: readonly Work[]])[] = [
  [
    small40,
    { title: "cp of 40 layers of 100 kB", names: everyone, arguments: copying },
    { title: "pull of 40 layers of 100 kB to a layout", names: everyone, arguments: pulling },
    { title: "digest", names: everyone, arguments: resolving },
  ],
  [platforms8, { title: "cp of an index of 8 platforms", names: everyone, arguments: copying }],
  [tags20, { title: "cp -a of 20 tags that share layers", names: ["dray", "crane"], arguments: copyingAll }],
  [large3, { title: "cp of 36 MB in 3 layers", names: everyone, arguments: copying }],
];

const over =
  (how: Line, tls: boolean, suffix: string, only: (work: Work) => boolean = () => true): Measurement["run"] =>
  async (bench) => {
    for (const [make, ...ofInput] of works) {
      const what = await make();
      for (const work of ofInput.filter(only))
        await compareOver(bench, how, tls, what, { ...work, title: `${work.title}, ${suffix}` });
    }
  };

const compareOver = ({ compare, say }: Bench, how: Line, tls: boolean, what: Input, work: Work): Promise<void> =>
  withServers(tls, async (source, target, env) => {
    await load(what, source);
    const relay = await startRelay(how, [source.host, target.host]);
    const [from, to] = [source, target].map(({ ca }, i) => ({ host: relay.hosts[i] as string, ca })) as [Place, Place];
    const traffic = new Map<Command, Traffic>();
    await within(async (dir) => {
      const config = join(dir, "regctl.json");
      await writeFile(config, regctlConfig([from, to]));
      const runs = contenders(work.names, (name, program) => async () => {
        await target.empty();
        await rm(join(dir, "out"), { recursive: true, force: true });
        await relay.traffic();
        const command = [...program, ...work.arguments(name, { from, to, dir })];
        const cost = await measure(command, { ...env, REGCTL_CONFIG: config });
        traffic.set(name, await relay.traffic());
        return cost;
      });
      await compare(work.title, runs);
    });
    relay.close();
    for (const [name, seen] of traffic) say(`- ${name}: ${inWords(seen, tls)}`);
    say("");
  });

const inWords = ({ requests, connections, refused, limited }: Traffic, tls: boolean): string =>
  [
    ...(tls ? [] : [`${requests} requests`]),
    `${connections} connections`,
    ...(refused > 0 ? [`${refused} refused`] : []),
    ...(limited > 0 ? [`${limited} times 429`] : []),
  ].join(", ");

const byName = (run: Measurement["run"]): Measurement => ({ run, onlyByName: true });

export const line: Readonly<Record<string, Measurement>> = {
  "line-http": byName(over(long, false, "over http")),
  "line-tls": byName(over(long, true, "over TLS")),
  "line-limits": byName(
    over(limits, false, "a registry that limits connections and requests", ({ title }) => title.startsWith("cp")),
  ),
};
