/** One thing that a consumer does with the packages as they are published. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { findRuntime, type RuntimeName, root } from "../runtimes.ts";

export interface Case {
  readonly name: string;
  /** @returns what it said, in a few words; throws where it fails */
  run(place: Place): Promise<string>;
}

/** Where the packages are installed. */
export interface Place {
  /** A folder of its own, made anew, beside whose parent the packages lie. */
  readonly folder: string;
  /** `host:port` of a registry. */
  readonly host: string;
}

/** The folder whose `node_modules` are the tools. */
const here: string = join(root, "e2e/consumers");

export const tool = (name: string): string => join(here, "node_modules/.bin", name);
export const installed = (path: string): string => join(here, "node_modules", path);
export const program = (name: string): string => join(here, name);

export const runtime = (name: RuntimeName): string => {
  const found = findRuntime(name);
  if ("missing" in found) throw new Error(found.missing);
  return found.path;
};

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const minutes = 60_000;

/** Never rejects; what hangs is ended and fails. */
export const attempt = (cwd: string, command: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Said> => {
  const { npm_config_local_prefix: _, FORCE_COLOR: _color, ...inherited } = process.env;
  const [file = "", ...words] = command;
  const options = { cwd, env: { ...inherited, NO_COLOR: "1", ...env }, timeout: 5 * minutes, maxBuffer: 2 ** 26 };
  return new Promise((resolve) =>
    execFile(file, words, options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1) || 1, stdout, stderr }),
    ),
  );
};

/** What it wrote, without the last line end; throws with all that it said where it does not end well. */
export const run = async (cwd: string, command: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> => {
  const { code, stdout, stderr } = await attempt(cwd, command, env);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
  return stdout.trim();
};
