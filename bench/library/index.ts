/**
 * The library on Node, as a program that depends on the package has it, beside the least that the same runtime can do it with. May import what the
 * bench knows of programs, registries and inputs; what is measured is a process of its own and imports nothing from here.
 */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { random512 } from "../input.ts";
import { type Contender, type Cost, measure, median } from "../measure.ts";
import { contenders, type Measurement } from "../measurements.ts";
import { copyArguments, type ProgramName, pullLayoutArguments } from "../programs.ts";
import { image, load, within, withServers } from "../registries.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const node = here("../../node_modules/.bin/node");
/** `--library=FOLDER`: the package `dray` of another build, instead of this one's. */
const given = process.argv.find((word) => word.startsWith("--library="))?.slice("--library=".length);
const built = join(here("../../dist/npm/dray"), "index.js");

const repository = image.split(":")[0] as string;
type Work = "cp" | "pull" | "validate";

const run: Measurement["run"] = async ({ compare, say }) => {
  if (!existsSync(built)) return say("missing: dist/npm, which is what is measured; make it with: npm run build\n");
  const what = await random512();
  const libraries: [ProgramName, string][] = [["library", built]];
  if (given !== undefined) libraries.push(["library before", join(given, "index.js")]);
  await withServers(false, async (source, target, env) => {
    await load(what, source);
    await within(async (dir) => {
      const out = join(dir, "out");
      const ours = (work: Work, to: readonly string[]): Contender[] =>
        libraries.map(([name, file]) => {
          const from = `${source.host}/${image}`;
          const args = [here("by-library.ts"), pathToFileURL(file).href, work, from, ...to];
          return { name, run: () => measure([node, ...args], env) };
        });
      const bare = (work: Work, to: readonly string[]): Contender => {
        const args = [here("bare.ts"), work, `http://${source.host}/v2/${repository}`, ...to];
        return { name: "bare script", run: () => measure([node, ...args], env) };
      };
      const table = async (title: string, some: readonly Contender[], before: () => Promise<void>): Promise<void> => {
        const all = some.map(({ name, run }) => ({ name, run: async () => (await before(), run()) }));
        say(besideBare(await compare(title, all)));
      };
      await table(
        "cp by the library on Node, 512 MiB, registry to registry over http",
        [
          ...ours("cp", [`${target.host}/${image}`]),
          bare("cp", [`http://${target.host}/v2/${repository}`]),
          ...contenders(
            ["crane"],
            (name, program) => () => measure([...program, ...copyArguments(name, source, target, image)], env),
          ),
        ],
        () => target.empty(),
      );
      await table(
        "pull to an OCI layout by the library on Node, 512 MiB",
        [
          ...ours("pull", [`oci:${out}:latest`]),
          bare("pull", [out]),
          ...contenders(
            ["crane"],
            (name, program) => () => measure([...program, ...pullLayoutArguments(name, source, image, out)], env),
          ),
        ],
        () => rm(out, { recursive: true, force: true }),
      );
      await table(
        "validate by the library on Node, 512 MiB",
        [
          ...ours("validate", []),
          bare("validate", []),
          ...contenders(
            ["crane"],
            (_name, program) => () =>
              measure([...program, "validate", "--insecure", "--remote", `${source.host}/${image}`], env),
          ),
        ],
        async () => {},
      );
    });
  });
};

const besideBare = (costs: Map<ProgramName, Cost[]>): string => {
  const of = (name: ProgramName): number => median((costs.get(name) ?? []).map(({ cpu }) => cpu));
  return `- the library's processor time of the bare script's, at most 1.2: ${(of("library") / of("bare script")).toFixed(2)}\n`;
};

/** Beside a bare script. */
export const library: Readonly<Record<string, Measurement>> = { library: { run } };
