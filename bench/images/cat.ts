/** One small file out of a large layer: the second look at plain gzip, and the first at eStargz, beside crane, which reads all of it. */
import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { type CuttingProxy, cuttingProxy, succeed } from "@dray/testkit/peers";
import { files100 } from "../input.ts";
import { type Cost, measure } from "../measure.ts";
import { type Bench, contenders, type Measurement } from "../measurements.ts";
import { type ProgramName, programOf } from "../programs.ts";
import { image, load, within, withServers } from "../registries.ts";

/** Bytes that came from the registry, under each program's name. */
const moved = ({ say }: Bench, bytes: ReadonlyMap<ProgramName, number>): void =>
  say(`${[...bytes].map(([name, each]) => `${name}: ${(each / 1000).toFixed(0)} kB from the registry`).join("; ")}\n`);

/** Runs it, and notes what came through the relay. */
const counted = async (proxy: CuttingProxy, run: () => Promise<Cost>, note: (bytes: number) => void): Promise<Cost> => {
  const before = proxy.received();
  const cost = await run();
  note(proxy.received() - before);
  return cost;
};

export const cat: Measurement["run"] = async (bench) => {
  const what = await files100();
  const dray = programOf("dray");
  if (dray === undefined) return;
  await withServers(false, async (source, _target, env) =>
    within(async (dir) => {
      await load(what, source);
      const proxy = await cuttingProxy(source.host);
      try {
        const plain = `${proxy.host}/${image}`;
        const seekable = plain.replace(/:[^:]*$/, ":estargz");
        await succeed([...dray, "recompress", "-q", "--estargz", "-t", seekable, plain], { env });
        const listed = await succeed([...dray, "ls", "-R", "-o", "json", "--no-cache", `${seekable}:/`], { env });
        const { files } = JSON.parse(listed) as { files: { path: string; type: string; size: number }[] };
        const near = files.filter(({ type, size }) => type === "file" && size > 9000 && size < 11_500);
        const path = near[near.length >> 1]?.path ?? "/none";
        const cache = join(dir, "cache");
        await succeed([...dray, "cat", "-c", cache, `${plain}:${path}`], { env });
        // What the cache has no room for any more: the index is what is left.
        const forgotten = async (): Promise<void> => {
          for (const name of await readdir(cache)) if (!name.endsWith(".index")) await unlink(join(cache, name));
        };
        const export_ = (program: readonly string[], reference: string): readonly string[] => [
          "/bin/sh",
          "-c",
          'file=$1; shift; "$@" | tar xOf - --wildcards "*$file" > /dev/null',
          "sh",
          path,
          ...program,
          "export",
          "--insecure",
          reference,
          "-",
        ];
        for (const [title, reference, words] of [
          [
            "cat of a file of 10 KiB, second look at a gzip layer of 100 MiB that is cached no more",
            plain,
            ["-c", cache],
          ],
          ["cat of the same file, first look at the layer as eStargz", seekable, ["--no-cache"]],
        ] as const) {
          const bytes = new Map<ProgramName, number>();
          await bench.compare(
            title,
            contenders(["dray", "crane"], (name, program) => async () => {
              await forgotten();
              const command =
                name === "crane" ? export_(program, reference) : [...program, "cat", ...words, `${reference}:${path}`];
              return counted(
                proxy,
                () => measure(["/bin/sh", "-c", 'exec "$@" > /dev/null', "sh", ...command], env),
                (each) => bytes.set(name, each),
              );
            }),
          );
          moved(bench, bytes);
        }
      } finally {
        await proxy.close();
      }
    }),
  );
};
