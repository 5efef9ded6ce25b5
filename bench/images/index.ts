/** Changes of images beside crane and regctl. May import what the bench knows of programs, registries and inputs. */
import { files40, type Input, tar300, text512 } from "../input.ts";
import type { Cost } from "../measure.ts";
import { measure, median } from "../measure.ts";
import { type Bench, contenders, type Measurement } from "../measurements.ts";
import type { Command, ProgramName } from "../programs.ts";
import { image, load, withServers } from "../registries.ts";
import { cat } from "./cat.ts";

const insecure = (name: Command): readonly string[] => (name === "crane" ? ["--insecure"] : ["-q"]);

/** What is promised of Dray's wall time, beside crane's in the same run, and of its memory. */
const judged = ({ say }: Bench, costs: Map<ProgramName, Cost[]>, most: number): void => {
  const [dray, crane] = (["dray", "crane"] as const).map((name) => costs.get(name) ?? []);
  if (dray === undefined || crane === undefined || dray.length === 0 || crane.length === 0) return;
  const ratio = median(dray.map(({ wall }) => wall)) / median(crane.map(({ wall }) => wall));
  const peak = Math.max(...dray.map((cost) => cost.peak));
  say(`wall ${ratio.toFixed(2)} of crane's, at most ${most} wanted; ${peak.toFixed(0)} MiB, at most 160 wanted\n`);
};

const append: Measurement["run"] = async (bench) => {
  const file = await tar300();
  await withServers(false, async (_source, target, env) => {
    const costs = await bench.compare(
      "append of 300 MiB of system files, uncompressed, to an empty image",
      contenders(["dray", "crane"], (name, program) => async () => {
        await target.empty();
        return measure([...program, "append", ...insecure(name), "-f", file, "-t", `${target.host}/${image}`], env);
      }),
    );
    judged(bench, costs, 0.5);
  });
};

const flatten: Measurement["run"] = async (bench) => {
  const what = await files40();
  await withServers(false, async (source, target, env) => {
    await load(what, source);
    await load(what, target);
    const exported = await bench.compare(
      "export, 40 layers of system files",
      contenders(["dray", "crane"], (name, program) => async () => {
        const words = [...program, "export", ...insecure(name), `${source.host}/${image}`, "-"];
        return measure(["/bin/sh", "-c", 'exec "$@" > /dev/null', "sh", ...words], env);
      }),
    );
    judged(bench, exported, 0.7);
    let round = 0;
    const flat = await bench.compare(
      "flatten, 40 layers of system files",
      contenders(["dray", "crane"], (name, program) => async () => {
        const to = `${target.host}/bench/image:flat-${round++}`;
        return measure([...program, "flatten", ...insecure(name), "-t", to, `${target.host}/${image}`], env);
      }),
    );
    judged(bench, flat, 0.7);
  });
};

const recompress: Measurement["run"] = async ({ compare }) => {
  const what: Input = await text512();
  await withServers(false, async (source, _target, env) => {
    await load(what, source);
    let round = 0;
    await compare(
      "recompress, 512 MiB in 8 layers, gzip to zstd",
      contenders(["dray", "regctl"], (name, program) => async () => {
        const [from, to] = [
          `${source.host}/${image}`,
          `${source.host}/bench/${name.replace(" ", "-")}-${round++}:zstd`,
        ];
        return measure(
          name === "regctl"
            ? [...program, "image", "mod", from, "--layer-compress", "zstd", "--create", to]
            : [...program, "recompress", "-q", "--compression", "zstd", "-t", to, from],
          env,
        );
      }),
    );
  });
};

/** Too long for every day. */
export const images: Readonly<Record<string, Measurement>> = {
  "images-append": { run: append, onlyByName: true },
  "images-flatten": { run: flatten, onlyByName: true },
  "images-recompress": { run: recompress, onlyByName: true },
  "images-cat": { run: cat, onlyByName: true },
};
