/** Runs one test file in a process of its own, so that a file that hangs, crashes or leaks is known by its name. */
import { spawn } from "node:child_process";
import { type Runtime, root } from "./runtimes.ts";

export interface Outcome {
  file: string;
  passed: number;
  failed: number;
  skipped: number;
  /** The tests left out, with the reason where the runtime tells it. */
  skips: string[];
  /** Milliseconds. */
  took: number;
  output: string;
}

const seconds = 1000;
/** A test fails by itself after the first time; a file that does not end is killed after the second. */
const limits = (file: string): { test: number; file: number } =>
  file.startsWith("e2e/") ? { test: 300 * seconds, file: 600 * seconds } : { test: 120 * seconds, file: 300 * seconds };
/** How long a process may hold our pipes after the file that started it has ended. */
const grace = 5 * seconds;

const command = (runtime: Runtime, file: string): string[] =>
  runtime.name === "bun"
    ? // Bun gives up on a test after 5 seconds unless told otherwise.
      ["test", `--timeout=${limits(file).test}`, `./${file}`]
    : [
        "--disable-warning=ExperimentalWarning",
        `--test-timeout=${limits(file).test}`,
        "--test-reporter=spec",
        `./${file}`,
      ];

const running = new Set<number>();

/** Ends every test file under way, with whatever it started. */
export const killAll = (): void => {
  for (const pid of running) killGroup(pid);
};

const killGroup = (pid: number): void => {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group is gone already.
  }
};

export const runFile = (runtime: Runtime, file: string): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const start = performance.now();
    const { FORCE_COLOR: _, ...environment } = process.env;
    const child = spawn(runtime.path, command(runtime, file), {
      cwd: root,
      env: { ...environment, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const pid = child.pid;
    if (pid === undefined) return void child.once("error", reject);
    running.add(pid);
    let output = "";
    let complaint: string | undefined;
    const stop = (why: string): void => {
      complaint = why;
      killGroup(pid);
      child.stdout.destroy();
      child.stderr.destroy();
    };
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text) => (output += text));
    let timer = setTimeout(
      () => stop(`did not end within ${limits(file).file / seconds} s: a test hangs or leaves something open`),
      limits(file).file,
    );
    child.once("exit", () => {
      clearTimeout(timer);
      timer = setTimeout(() => stop("left a process behind that holds its output open"), grace);
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      running.delete(pid);
      killGroup(pid);
      const counts = readCounts(output);
      const unexplained = complaint ?? explain(code, signal, counts);
      if (unexplained !== undefined) {
        counts.failed += 1;
        output += `\n${file}: ${unexplained}\n`;
      }
      resolve({ file, ...counts, took: performance.now() - start, output });
    });
  });

type Counts = Pick<Outcome, "passed" | "failed" | "skipped" | "skips">;

/** Why a file has failed although no test of it did. */
const explain = (code: number | null, signal: string | null, counts: Counts): string | undefined => {
  if (counts.failed > 0) return undefined;
  if (signal !== null) return `ended by ${signal}`;
  if (code !== 0) return `exit code ${code}`;
  return counts.passed + counts.skipped === 0 ? "holds no test" : undefined;
};

/** Reads what `bun test` and Node's spec reporter print: ` 3 pass` here, `ℹ pass 3` there. */
export const readCounts = (output: string): Counts => {
  const count = (...words: string[]): number =>
    words.reduce((sum, word) => {
      const lines = [...output.matchAll(new RegExp(`^(?: (\\d+) ${word}|ℹ ${word} (\\d+))$`, "gm"))];
      const last = lines.at(-1);
      return sum + Number(last?.[1] ?? last?.[2] ?? 0);
    }, 0);
  const skips = [...output.matchAll(/^(?:\((?:skip|todo)\)|\s*﹣) (.*)$/gm)].map(([, line = ""]) =>
    line.replace(/ [[(][\d.]+ ?ms[\])]/, ""),
  );
  const counts = {
    passed: count("pass"),
    failed: count("fail", "cancelled"),
    skipped: count("skip", "skipped", "todo"),
    skips,
  };
  // Bun counts nothing of a suite that is left out as a whole; the peer that it misses was said.
  const absent = [...output.matchAll(/^missing: .*$/gm)].map(([line]) => line);
  const isLeftOut = absent.length > 0 && counts.passed + counts.failed + counts.skipped === 0;
  return isLeftOut ? { ...counts, skipped: 1, skips: absent } : counts;
};
