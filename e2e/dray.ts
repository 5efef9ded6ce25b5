/** The command, run from source on the runtime that runs the test, as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@dray/testkit/files";
import { type Finished, finish } from "@dray/testkit/peers";

const main: string = fileURLToPath(new URL("../packages/cli/src/main.ts", import.meta.url));

const theirs = /^(?:DRAY_.*|(?:https?|no|all)_proxy|SSL_CERT_FILE)$/i;

/** No configuration of whoever runs the tests reaches the command. */
const clean = (dir: string): Record<string, string | undefined> => ({
  ...Object.fromEntries(Object.keys(process.env).flatMap((name) => (theirs.test(name) ? [[name, undefined]] : []))),
  HOME: dir,
  DOCKER_CONFIG: join(dir, "docker"),
  XDG_STATE_HOME: join(dir, "state"),
  XDG_CONFIG_HOME: join(dir, "config"),
  XDG_RUNTIME_DIR: undefined,
  REGISTRY_AUTH_FILE: undefined,
  DOCKER_AUTH_CONFIG: undefined,
  CONTAINERS_REGISTRIES_CONF: undefined,
});

/** A folder for one test, with the command at home in it. */
export interface Sandbox {
  readonly dir: string;
  /** Runs the command to its end. */
  dray(
    args: readonly string[],
    options?: { env?: Readonly<Record<string, string | undefined>>; input?: string },
  ): Promise<Finished>;
  /** As `dray`, in the process of the test: for tables with many rows, where the start of a runtime each time would be most of it. */
  here(
    args: readonly string[],
    options?: { env?: Readonly<Record<string, string | undefined>>; input?: string },
  ): Promise<Finished>;
  /** Runs the command to its end. @throws when it fails. */
  ok(
    args: readonly string[],
    options?: { env?: Readonly<Record<string, string | undefined>>; input?: string },
  ): Promise<string>;
  /** Starts the command, for tests that end it. */
  start(args: readonly string[]): ChildProcess;
  /** The program and its words, for whoever runs it in a way of his own. */
  line(args: readonly string[]): readonly string[];
  /** What it finds in its environment, besides that of the tests; `undefined`: not there. */
  readonly env: Readonly<Record<string, string | undefined>>;
  path(...parts: readonly string[]): string;
  close(): Promise<void>;
}

export const workshop = async (): Promise<Sandbox> => {
  const dir = temporaryFolder("e2e");
  const line = (args: readonly string[]): string[] => [process.execPath, main, ...args];
  const dray: Sandbox["dray"] = (args, { env = {}, ...options } = {}) =>
    finish(line(args), { ...options, env: { ...clean(dir), ...env } });
  return {
    dir,
    dray,
    here: async (args, { input = "", env: own = {} } = {}) => {
      const [stdout, stderr] = [gathered(), gathered()];
      const env = { ...process.env, ...clean(dir), ...own };
      const stdin = (): Readable => Readable.from([Buffer.from(input)]);
      const code = await (await inPlace()).run(args, { stdin, stdout: stdout.stream, stderr: stderr.stream, env });
      return { code, stdout: stdout.text(), stderr: stderr.text() };
    },
    ok: async (args, options) => {
      const { code, stdout, stderr } = await dray(args, options);
      if (code !== 0) throw new Error(`dray ${args.join(" ")}: exit ${code}: ${stderr.slice(-2000)}`);
      return stdout;
    },
    start: (args) =>
      spawn(process.execPath, [main, ...args], {
        env: { ...process.env, ...clean(dir) },
        stdio: ["ignore", "ignore", "pipe"],
      }),
    line,
    env: clean(dir),
    path: (...parts) => join(dir, ...parts),
    close: () => rm(dir, { recursive: true, force: true }),
  };
};

/** The command's own entrance, which is no name of its package. */
const inPlace = async (): Promise<{ run(words: readonly string[], surroundings: object): Promise<number> }> =>
  import(new URL("../packages/cli/src/run.ts", import.meta.url).href);

const gathered = (): { readonly stream: Writable; text(): string } => {
  const chunks: Buffer[] = [];
  const write: Writable["_write"] = (chunk: Buffer, _encoding, done) => {
    chunks.push(Buffer.from(chunk));
    done();
  };
  return { stream: new Writable({ write }), text: () => Buffer.concat(chunks).toString() };
};

/** A test that needs a program says which one is missing, and is left out by name. */
export const missing = (...programs: readonly (readonly [name: string, found: unknown])[]): string | false => {
  const names = programs.filter(([, found]) => found === undefined).map(([name]) => name);
  return names.length === 0 ? false : `missing: ${names.join(", ")}`;
};
