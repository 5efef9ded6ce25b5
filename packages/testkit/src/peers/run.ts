import { spawn } from "node:child_process";

/** How a program ended. */
export interface Finished {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What is kept of each stream, from its end. */
const kept = 4 * 1024 * 1024;

/** Runs a program to its end, without a shell. Variables are added to those of this process; `undefined` takes one away. */
export const finish = (
  command: readonly string[],
  { env = {}, input, cwd }: { env?: Readonly<Record<string, string | undefined>>; input?: string; cwd?: string } = {},
): Promise<Finished> =>
  new Promise((resolve, reject) => {
    const [program, ...args] = command as [string, ...string[]];
    const child = spawn(program, args, { env: { ...process.env, ...env }, cwd });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout = (stdout + text).slice(-kept)));
    child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr = (stderr + text).slice(-kept)));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.on("error", () => {});
    child.stdin.end(input ?? "");
  });

/** As `finish`, and returns what was printed. @throws with what it said on stderr when it did not end with 0. */
export const succeed = async (
  command: readonly string[],
  options: Parameters<typeof finish>[1] = {},
): Promise<string> => {
  const { code, stdout, stderr } = await finish(command, options);
  if (code !== 0) throw new Error(`${command.join(" ")}: exit ${code}: ${stderr.slice(-2000)}`);
  return stdout;
};
