/**
 * A process that serves one registry after the other as it is told, as `dray serve` does, so that what a registry writes to stdout
 * and stderr is apart from what a test says. Told by `host-process.ts`.
 */
import { EventEmitter } from "node:events";
import { open } from "node:fs/promises";
import { remarkText } from "@dray/service/config";
import { untilSignals } from "@dray/service/program";
import { loadSettings, type Settings, type Sources } from "../../src/config/index.ts";
import { type Serving, serve } from "../../src/serve/index.ts";

/** What is asked of it. */
export type Question =
  | { readonly ask: "start"; readonly sources: Sources }
  | { readonly ask: "reload" | "stop" | "drain" | "syncs" };

/** What it answers; `refused` is why it did not do it. */
export interface Answer {
  readonly refused?: string;
  readonly origin?: string;
  readonly warnings?: readonly string[];
  /** How often something waited for the disk, so far. */
  readonly syncs?: number;
}

interface Running {
  readonly serving: Serving;
  readonly signals: EventEmitter;
  readonly ended: Promise<number>;
}

let running: Running | undefined;
let syncs = 0;

/** Counts what the file system is asked for. */
const probe = await open(import.meta.filename);
const handle = Object.getPrototypeOf(probe) as { sync: (this: unknown) => Promise<void> };
const { sync } = handle;
handle.sync = function (this: unknown) {
  syncs++;
  return sync.call(this);
};
await probe.close();

const start = async (sources: Sources): Promise<Answer> => {
  const read = (): { settings: Settings; warnings: readonly string[] } => {
    const { settings, warnings } = loadSettings(sources);
    return { settings, warnings: warnings.map(remarkText) };
  };
  const { settings, warnings } = read();
  const serving = await serve(settings, { version: "test", settings: async () => read().settings });
  const signals = new EventEmitter();
  const service = { stop: (hurry: AbortSignal) => serving.stop(hurry), reload: () => serving.reload("SIGHUP") };
  const ended = untilSignals(service, { signals, drain: settings.listen.drain });
  running = { serving, signals, ended };
  return { origin: serving.origin, warnings };
};

const answer = async (question: Question): Promise<Answer> => {
  switch (question.ask) {
    case "start":
      return start(question.sources);
    case "reload":
      await running?.serving.reload("a test");
      return {};
    case "drain":
      running?.signals.emit("SIGTERM");
      await running?.ended;
      running = undefined;
      return {};
    case "stop":
      await running?.serving.stop(AbortSignal.abort());
      running = undefined;
      return {};
    case "syncs":
      return { syncs };
  }
};

process.on("message", ({ id, question }: { id: number; question: Question }) => {
  void answer(question)
    .catch((error: unknown): Answer => ({ refused: error instanceof Error ? error.message : String(error) }))
    .then((said) => process.send?.({ id, ...said }));
});
process.on("disconnect", () => process.exit());
