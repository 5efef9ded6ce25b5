/** The registries that are measured against: two of them, filled before, forgotten after. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DockerRegistry, startDockerRegistry, succeed } from "@dray/testkit/peers";
import type { Input } from "./input.ts";
import { type Place, programOf, regctlConfig, trust } from "./programs.ts";

/** What the measured image is called on every registry. */
export const image: string = "bench/image:latest";

/** docker-registry, without which there is nothing to measure against. */
export const startRegistry = async (options: { tls?: boolean } = {}): Promise<DockerRegistry> => {
  const registry = await startDockerRegistry(options);
  if (registry === undefined) throw new Error("docker-registry is needed to measure against; it is a Debian package");
  return registry;
};

/** A folder that is gone when the work is done. */
export const within = async (work: (dir: string) => Promise<void>): Promise<void> => {
  const dir = await mkdtemp(join(tmpdir(), "dray-bench-"));
  try {
    await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};

/** Two registries, and the environment in which every program trusts them. */
export const withServers = async (
  tls: boolean,
  work: (source: DockerRegistry, target: DockerRegistry, env: Record<string, string>) => Promise<void>,
): Promise<void> =>
  within(async (dir) => {
    const source = await startRegistry({ tls });
    const target = await startRegistry({ tls });
    try {
      // Both have an authority of their own; one file holds both.
      const env = { ...trust(await together(dir, source, target)), REGCTL_CONFIG: join(dir, "regctl.json") };
      await writeFile(env.REGCTL_CONFIG, regctlConfig([source, target]));
      await work(source, target, env);
    } finally {
      await source.close();
      await target.close();
    }
  });

const together = async (dir: string, ...places: readonly Place[]): Promise<Place> => {
  const files = places.flatMap(({ ca }) => (ca === undefined ? [] : [ca]));
  if (files.length === 0) return { host: "" };
  const ca = join(dir, "ca.pem");
  await writeFile(ca, (await Promise.all(files.map((file) => readFile(file, "utf8")))).join("\n"));
  return { host: "", ca };
};

/** Puts an image into a registry, before anything is measured. */
export const load = async (input: Input, into: Place): Promise<void> => {
  const dray = programOf("dray");
  if (dray === undefined) throw new Error("dist/dray is needed to load the images: npm run build");
  const ca = into.ca === undefined ? [] : ["--dest-ca-file", into.ca];
  await succeed([...dray, "cp", "-q", "-a", ...ca, `oci:${input.layout}`, `${into.host}/${image.split(":")[0]}`]);
};
