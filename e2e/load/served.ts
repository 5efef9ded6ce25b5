import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { loadSettings, maintain } from "@dray/server";

const main: string = fileURLToPath(new URL("../../packages/cli/src/main.ts", import.meta.url));
const watch: string = fileURLToPath(new URL("./turns.ts", import.meta.url));

/** `dray serve` as a process of its own. */
export interface Served {
  readonly pid: number;
  readonly origin: string;
  /** Milliseconds until it told its address. */
  readonly took: number;
  /** What it logged beyond what is usual. */
  complaints(): string[];
  signal(name: NodeJS.Signals): void;
  /** SIGKILL, and its end. */
  kill(): Promise<void>;
  /** SIGTERM, and the code it ended with. */
  stop(): Promise<number | null>;
}

/**
 * @param keys of the configuration, as `dray.gc.grace=1s`
 * @param turns a file that tells what its event loop was busy with at a time (`turns.ts`)
 */
export const startServer = async (data: string, keys: readonly string[], turns?: string): Promise<Served> => {
  const begun = performance.now();
  const words = ["serve", "--data", data, "--listen", "127.0.0.1:0", "--log-level", "warn"];
  const sets = ["log.accesslog.disabled=true", ...keys].flatMap((key) => ["--set", key]);
  const { REGISTRY_CONFIGURATION_PATH: _, ...rest } = process.env;
  const env = { ...rest, DRAY_TURNS: turns };
  const before = turns === undefined ? [] : [process.versions.bun === undefined ? "--import" : "--preload", watch];
  const args = [...before, main, ...words, ...sets];
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log = (log + text).slice(-1_000_000);
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  const origin = await new Promise<string>((resolve, reject) => {
    let said = "";
    child.once("error", reject);
    void ended.then((code) => reject(new Error(`dray serve ended with ${code}: ${log.slice(-2000)}`)));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const found = /(https?:\/\/[^\s/;]+:\d+);/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  return {
    pid: child.pid as number,
    origin,
    took: performance.now() - begun,
    complaints: () =>
      log.split("\n").filter((line) => line.trim() !== "" && !/ExperimentalWarning|node --trace-warnings/.test(line)),
    signal: (name) => void child.kill(name),
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
    stop: async () => {
      child.kill("SIGTERM");
      return ended;
    },
  };
};

type Client = Parameters<Parameters<typeof maintain>[2]>[0];

/** Asks the server of a volume, as `dray serve gc`, `check` and `verify` do; without one it is done here. */
export const operate = <T>(data: string, work: (client: Client) => Promise<T>): Promise<T> =>
  maintain(loadSettings({ flags: { data } }).settings, { who: "a test", onNotice: () => {} }, work);
