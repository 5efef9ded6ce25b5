import { existsSync } from "node:fs";
import { delimiter } from "node:path";
import type { RunningImage } from "@dray/watch";
import { parseReference } from "dray/oci";
import type { Call } from "../context.ts";
import type { SharedOptions } from "../flags.ts";
import { registriesFor } from "../registries.ts";

/** Flags that say where something runs. */
export interface WhatRuns extends SharedOptions {
  readonly image?: readonly string[];
  readonly docker?: boolean;
  readonly podman?: boolean;
  readonly kubernetes?: boolean;
  readonly namespace?: string;
}

/** All that runs by the words of a command: files, images, engines, a cluster; where none is named, the files below the current folder. */
export const runningImages = async (call: Call<WhatRuns>, paths: readonly string[]): Promise<RunningImage[]> => {
  const { options, reporter, signal } = call;
  const { filesBelow, runningInCluster, runningInEngine, runningInFiles } = await import("@dray/watch");
  const onWarning = (message: string): void => reporter.warn(message);
  const isElsewhere = [options.image, options.docker, options.podman, options.kubernetes].some(
    (each) => each !== undefined,
  );
  const found: RunningImage[] = (options.image ?? []).map((image) => {
    // A digest alone says no tag.
    const reference = parseReference(image);
    const digests = reference.digest === undefined ? [] : [reference.digest];
    return { image, reference, digests, places: ["--image"] };
  });
  const wanted = paths.length === 0 && !isElsewhere ? ["."] : paths;
  const files = await Array.fromAsync(filesBelow(wanted, { signal, variables: variablesOf(call) }));
  for (const { faults } of files) for (const { message } of faults) reporter.warn(message);
  found.push(...runningInFiles(files));
  if (options.docker === true) {
    const { engine } = await registriesFor(call);
    found.push(...(await runningInEngine(await engine(), { signal, onWarning })));
  }
  if (options.podman === true) {
    const { connectEngine } = await import("dray/daemon");
    const engine = connectEngine({ env: call.env, host: podmanAddress(call), timeout: options.timeout });
    call.defer(() => engine.close());
    found.push(...(await runningInEngine(engine, { signal, onWarning })));
  }
  if (options.kubernetes === true) {
    const { namespace, timeout } = options;
    // Several are for the client to put together.
    const [kubeConfig, ...more] = (call.env["KUBECONFIG"] ?? "").split(delimiter).filter((each) => each !== "");
    found.push(
      ...(await runningInCluster({
        namespace,
        timeout,
        ...(more.length === 0 ? { kubeConfig } : {}),
        signal,
        onWarning,
      })),
    );
  }
  return found;
};

/** Compose takes those of the shell before those of its file. */
const variablesOf = ({ env }: Call): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined));

/** Where podman listens: its own variable, the user's socket, root's. */
const podmanAddress = ({ env }: Call): string => {
  if (env["CONTAINER_HOST"]) return env["CONTAINER_HOST"];
  const own = env["XDG_RUNTIME_DIR"] && `${env["XDG_RUNTIME_DIR"]}/podman/podman.sock`;
  return `unix://${own && existsSync(own) ? own : "/run/podman/podman.sock"}`;
};
