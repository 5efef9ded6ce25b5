/** What is measured. Each prints its own tables; peers that are not there are named and left out. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { files40, type Input, platforms4, random4g, random512, textArchive } from "./input.ts";
import { type Contender, type Cost, measure } from "./measure.ts";
import {
  before,
  type Command,
  copyArguments,
  type Place,
  type ProgramName,
  programOf,
  pullLayoutArguments,
} from "./programs.ts";
import { image, load, startRegistry, within, withServers } from "./registries.ts";
import { startManyTags } from "./tags.ts";

export interface Bench {
  readonly rounds: number;
  /** Larger, where a measurement knows of that. */
  readonly full: boolean;
  readonly compare: (title: string, contenders: readonly Contender[]) => Promise<Map<ProgramName, Cost[]>>;
  readonly say: (text: string) => void;
}

export interface Measurement {
  readonly run: (bench: Bench) => Promise<void>;
  /** Too long for every day: only when asked for by name. */
  readonly onlyByName?: boolean;
}

export const everyone: readonly Command[] = ["dray", "crane", "skopeo", "regctl", "oras"];
/** Those that are here, this build of Dray and perhaps another one first. */
export const contenders = (
  names: readonly Command[],
  run: (name: Command, program: readonly string[]) => Contender["run"],
): Contender[] =>
  names
    .flatMap((name) => (name === "dray" && before !== undefined ? (["dray", "dray before"] as const) : name))
    .flatMap((name) => {
      const program = programOf(name);
      return program === undefined ? [] : [{ name, run: run(name, program) }];
    });

const copies =
  (input: () => Promise<Input>, title: string, tls: boolean, names = everyone): Measurement["run"] =>
  async ({ compare }) => {
    const what = await input();
    await withServers(tls, async (source, target, env) => {
      await load(what, source);
      await compare(
        `${title}, registry to registry over ${tls ? "TLS" : "http"}`,
        contenders(names, (name, program) => async () => {
          await target.empty();
          const caFile =
            name.startsWith("dray") && env["SSL_CERT_FILE"] !== undefined ? env["SSL_CERT_FILE"] : undefined;
          const [from, to] = [source, target].map(({ host, ca }) => ({
            host,
            ...(ca === undefined ? {} : { ca: caFile ?? ca }),
          })) as [Place, Place];
          return measure([...program, ...copyArguments(name, from, to, image)], env);
        }),
      );
    });
  };

const pulls: Measurement["run"] = async ({ compare }) => {
  const what = await random512();
  await withServers(false, async (source, _target, env) => {
    await load(what, source);
    await within(async (dir) => {
      const fresh = async (): Promise<string> => {
        await rm(join(dir, "out"), { recursive: true, force: true });
        return join(dir, "out");
      };
      await compare(
        "pull to an OCI layout, 512 MiB",
        contenders(
          everyone,
          (name, program) => async () =>
            measure([...program, ...pullLayoutArguments(name, source, image, await fresh())], env),
        ),
      );
      await compare(
        "pull to a tarball, 512 MiB",
        contenders(["dray", "crane", "skopeo"], (name, program) => async () => {
          const out = await fresh();
          const from = `${source.host}/${image}`;
          if (name === "skopeo")
            return measure(
              [
                ...program,
                "copy",
                "-q",
                "--src-tls-verify=false",
                `docker://${from}`,
                `docker-archive:${out}:${image}`,
              ],
              env,
            );
          return measure([...program, "pull", ...(name === "crane" ? ["--insecure"] : ["-q"]), from, out], env);
        }),
      );
    });
  });
};

const pushes: Measurement["run"] = async ({ compare, say }) => {
  const { file } = await textArchive();
  const target = await startRegistry();
  try {
    const uploaded = new Map<ProgramName, number>();
    await compare(
      "push of an uncompressed docker-archive, 512 MiB of text",
      contenders(["dray", "crane", "skopeo"], (name, program) => async () => {
        await target.empty();
        const to = `${target.host}/${image}`;
        const args =
          name === "skopeo"
            ? ["copy", "-q", "--dest-tls-verify=false", `docker-archive:${file}`, `docker://${to}`]
            : ["push", ...(name === "crane" ? ["--insecure"] : ["-q"]), file, to];
        const cost = await measure([...program, ...args]);
        uploaded.set(name, await target.bytes());
        return cost;
      }),
    );
    const crane = uploaded.get("crane");
    for (const [name, bytes] of uploaded)
      say(`${name} uploaded ${bytes} bytes${crane === undefined ? "" : `, ${(bytes / crane).toFixed(3)} of crane's`}`);
    say("");
  } finally {
    await target.close();
  }
};

const validates: Measurement["run"] = async ({ compare }) => {
  for (const [title, make] of [
    ["512 MiB", random512],
    ["40 layers of system files", files40],
  ] as const) {
    const what = await make();
    await withServers(false, async (source) => {
      await load(what, source);
      await compare(
        `validate --remote, ${title}`,
        contenders(
          ["dray", "crane"],
          (name, program) => () =>
            measure([
              ...program,
              "validate",
              ...(name === "crane" ? ["--insecure"] : []),
              "--remote",
              `${source.host}/${image}`,
            ]),
        ),
      );
    });
  }
};

/** Many starts in one measurement: one is too short to be told from noise. */
const starts: Measurement["run"] = async ({ say }) => {
  const what = await platforms4();
  await withServers(false, async (source, _target, env) => {
    await load(what, source);
    for (const [title, args] of [
      ["version", () => ["version"]],
      [
        "manifest of a small image",
        (name: Command) => ["manifest", ...(name === "crane" ? ["--insecure"] : []), `${source.host}/${image}`],
      ],
    ] as const) {
      const times = new Map<ProgramName, number[]>();
      const runs = contenders(["dray", "crane"], (name, program) => () => measure([...program, ...args(name)], env));
      for (let i = 0; i < 40; i++)
        for (const { name, run } of runs) times.set(name, [...(times.get(name) ?? []), (await run()).wall * 1000]);
      say(`### ${title}\n\n| program | median ms | best ms |\n|---|---|---|`);
      for (const [name, all] of times) {
        all.sort((a, b) => a - b);
        say(`| ${name} | ${(all[all.length >> 1] as number).toFixed(1)} | ${(all[0] as number).toFixed(1)} |`);
      }
      say("");
    }
  });
};

const listing: Measurement["run"] = async ({ compare }) => {
  const server = await startManyTags(100_000);
  try {
    await compare(
      "ls of 100,000 tags, 1,000 a page",
      contenders(
        ["dray", "crane"],
        (name, program) => () =>
          measure([...program, "ls", ...(name === "crane" ? ["--insecure"] : []), `${server.host}/bench/tags`]),
      ),
    );
  } finally {
    await server.close();
  }
};

/** Peaks must not grow with the image. */
const memory =
  (make: () => Promise<Input>, title: string): Measurement["run"] =>
  async ({ say }) => {
    const what = await make();
    const dray = programOf("dray");
    if (dray === undefined) return;
    await withServers(false, async (source, target) => {
      await load(what, source);
      await within(async (dir) => {
        say(`### peak memory, ${title}\n\n| command | peak MiB | wall s | CPU s |\n|---|---|---|---|`);
        const row = async (name: string, args: readonly string[]): Promise<void> => {
          const { peak, wall, cpu } = await measure([...dray, ...args]);
          say(`| ${name} | ${peak.toFixed(0)} | ${wall.toFixed(1)} | ${cpu.toFixed(1)} |`);
        };
        const from = `${source.host}/${image}`;
        await row("cp", ["cp", "-q", from, `${target.host}/${image}`]);
        await row("validate --remote", ["validate", "--remote", from]);
        await row("pull --format oci", ["pull", "-q", "--format", "oci", from, join(dir, "layout")]);
        await target.empty();
        await row("push of the layout", ["push", "-q", join(dir, "layout"), `${target.host}/${image}`]);
        await rm(join(dir, "layout"), { recursive: true });
        await row("pull to a tarball", ["pull", "-q", from, join(dir, "image.tar")]);
        await target.empty();
        await row("push of the tarball", ["push", "-q", join(dir, "image.tar"), `${target.host}/${image}`]);
        say("");
      });
    });
  };

const archiveMemory: Measurement["run"] = async ({ say }) => {
  const { file } = await textArchive();
  const dray = programOf("dray");
  if (dray === undefined) return;
  const target = await startRegistry();
  try {
    const { peak } = await measure([...dray, "push", "-q", file, `${target.host}/${image}`]);
    say(`push of the uncompressed docker-archive, 512 MiB: peak ${peak.toFixed(0)} MiB\n`);
  } finally {
    await target.close();
  }
};

export const all: Readonly<Record<string, Measurement>> = {
  cp: { run: copies(random512, "cp, 8 layers, 512 MiB", false) },
  "cp-tls": { run: copies(random512, "cp, 8 layers, 512 MiB", true) },
  "cp-files": { run: copies(files40, "cp, 40 layers of system files", true) },
  "cp-platforms": { run: copies(platforms4, "cp, index of 4 platforms", true) },
  "cp-source": {
    run: copies(random512, "cp from source on Node 24, 512 MiB", false, ["dray on node", "dray", "crane"]),
  },
  pull: { run: pulls },
  push: { run: pushes },
  validate: { run: validates },
  start: { run: starts },
  ls: { run: listing },
  memory: {
    run: async (bench) => {
      await memory(random512, "512 MiB in 8 layers")(bench);
      await archiveMemory(bench);
    },
  },
  "memory-4g": { run: memory(random4g, "4 GiB, one layer of 3 GiB"), onlyByName: true },
};
