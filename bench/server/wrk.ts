/** wrk, and what it says. */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPeer } from "@dray/testkit/peers";

/** docker-registry hides OCI manifests from those who do not ask for them. */
export const accept: string =
  "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

export interface WrkOptions {
  readonly connections: number;
  readonly seconds: number;
  /** Milliseconds that each connection rests before a request. Default: none. */
  readonly rest?: number;
}

export interface WrkResult {
  /** Requests. */
  readonly count: number;
  /** Requests in a second. */
  readonly rate: number;
  /** Milliseconds. wrk 4.1 adds those who would have waited behind a slow answer. */
  readonly p50: number;
  readonly p99: number;
  /** Bytes that came. */
  readonly bytes: number;
}

/** @throws when one of the answers is no success */
export const wrk = async (url: string, options: WrkOptions): Promise<WrkResult> => (await startWrk(url, options)).ended;

export interface RunningWrk {
  readonly ended: Promise<WrkResult>;
  /** Ends it before its time. */
  end(): Promise<WrkResult>;
}

export const startWrk = async (url: string, { connections, seconds, rest }: WrkOptions): Promise<RunningWrk> => {
  const program = findPeer("wrk");
  if (program === undefined) throw new Error("wrk is needed for this measurement; it is a Debian package");
  const dir = await mkdtemp(join(tmpdir(), "dray-bench-wrk-"));
  const script = join(dir, "rest.lua");
  if (rest !== undefined) await writeFile(script, `function delay() return ${rest} end\n`);
  const resting = rest === undefined ? [] : ["-s", script];
  const args = [
    "-H",
    `Accept: ${accept}`,
    "-t1",
    `-c${connections}`,
    `-d${seconds}s`,
    "--timeout",
    "60s",
    "--latency",
    ...resting,
    url,
  ];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  const ended = new Promise<WrkResult>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => {
      rm(dir, { recursive: true })
        .then(() => resolve(readWrk(said)))
        .catch(reject);
    });
  });
  ended.catch(() => {});
  return {
    ended,
    end: () => {
      child.kill("SIGINT");
      return ended;
    },
  };
};

/** @throws when it says that requests failed */
export const readWrk = (text: string): WrkResult => {
  const failed = /^\s*(Non-2xx or 3xx responses|Socket errors): .*$/m.exec(text);
  if (failed !== null && !/connect 0, read 0, write 0, timeout 0/.test(failed[0])) throw new Error(failed[0].trim());
  const [, count, time, size] = /(\d+) requests in ([\d.]+\w+), ([\d.]+\w+) read/.exec(text) ?? [];
  if (count === undefined || time === undefined || size === undefined) throw new Error(`wrk said: ${text}`);
  const quantile = (percent: number): number =>
    amount(new RegExp(`^\\s+${percent}%\\s+(\\S+)`, "m").exec(text)?.[1] ?? "", times) * 1000;
  return {
    count: Number(count),
    rate: Number(count) / amount(time, times),
    p50: quantile(50),
    p99: quantile(99),
    bytes: amount(size, sizes),
  };
};

const times: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };
const sizes: Readonly<Record<string, number>> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 };

const amount = (text: string, units: Readonly<Record<string, number>>): number => {
  const [, value, unit] = /^([\d.]+)([a-zA-Z]*)$/.exec(text) ?? [];
  const factor = units[unit ?? ""];
  if (value === undefined || factor === undefined) throw new Error(`wrk says "${text}", which is no amount`);
  return Number(value) * factor;
};
