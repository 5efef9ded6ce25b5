import { tooOld } from "dray/internal/supported";
import { oldestNode, version } from "./version.ts";

const words = process.argv.slice(2);

const start = async (): Promise<void> => {
  if (process.versions["bun"] === undefined) (await import("./compile-cache.ts")).keepCompiled(process.env);
  const { reasonOf } = await import("dray/errors");
  // Before anybody listens to signals: beginning again would forget one that was heard, and until then each ends the process.
  if (words[words[0] === "registry" ? 1 : 0] === "serve") (await import("./more-threads.ts")).withMoreThreads();
  const interrupt = new AbortController();
  const onSignal = (): void => {
    if (interrupt.signal.aborted) process.exit(130);
    interrupt.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  // A registry reads its files again then; until it can, the system's own answer would end it.
  if (words[0] === "serve") process.on("SIGHUP", () => {});
  const unexpected = (error: unknown): void => {
    const said = reasonOf(error);
    const text = words.includes("-v") && error instanceof Error ? error.stack : said.replace(/\p{Cc}+/gu, " ");
    process.stderr.write(`Error: ${text}\n`);
    process.exit(1);
  };
  process.on("uncaughtException", unexpected);
  process.on("unhandledRejection", unexpected);
  // Nobody is left to tell.
  process.stderr.on("error", () => {});
  const { run } = await import("./run.ts");
  const exitCode = await run(words, {
    stdin: () => process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    signal: interrupt.signal,
  });
  // A pool's idle connections and whatever a cancelled request left behind must not keep us here. Node is given a moment to end
  // by itself: `process.exit` in the middle of a compilation waits now and then for a thread that waits for it, for ever.
  if (process.versions["bun"] !== undefined) process.exit(exitCode);
  process.exitCode = exitCode;
  setTimeout(() => process.exit(exitCode), 500).unref();
};

const refusal = tooOld("dray", oldestNode);
if (words.length === 1 && /^(?:--)?version$/.test(words[0] ?? "")) {
  // Asked by scripts again and again: answered before anything else is read.
  // `process.stdout` would read the code of streams and terminals: half of the time.
  console.log(version);
} else if (refusal !== undefined) {
  process.stderr.write(`Error: ${refusal}\n`);
  process.exitCode = 1;
} else {
  await start();
}
