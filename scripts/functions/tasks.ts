/** A program of the library: does what it is told by its parent. Packages are those of the checkout it is run in. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { pathToFileURL } from "node:url";

/** By what the packages promise alone, so that other checkouts, older or newer, can be counted too. */
interface Located {
  readonly store: object;
}
interface Library {
  readonly open: (location: string) => Promise<Located>;
  readonly copy: (source: Located, target: Located) => Promise<unknown>;
}
interface Command {
  readonly run: (words: readonly string[], surroundings: object) => Promise<number>;
}
interface Registry {
  collect(options?: { dryRun?: boolean }): Promise<{ readonly blobs: number }>;
}
interface Server {
  readonly filesystemDriver: (folder: string) => Promise<object>;
  readonly createRegistry: (options: object) => Registry;
}

/** What it can be told. */
export type Task =
  | { readonly copy: readonly [from: string, to: string] }
  /** What `dray` is called with. */
  | { readonly command: readonly string[] }
  /** Opens a registry over a folder, and looks at all of it. */
  | { readonly registry: string }
  | { readonly collect: true };

const find = createRequire(join(process.cwd(), "packages/cli/src/main.ts"));
const load = async <T>(name: string): Promise<T> => (await import(pathToFileURL(find.resolve(name)).href)) as T;

const command = async (words: readonly string[]): Promise<void> => {
  const { run } = await load<Command>("./run.ts");
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  for (const stream of [stdout, stderr]) stream.resume();
  const { signal } = new AbortController();
  const exitCode = await run(words, { stdin: () => process.stdin, stdout, stderr, env: process.env, signal });
  if (exitCode !== 0) throw new Error(`dray ${words.join(" ")} ended with ${exitCode}`);
};

let registry: Registry | undefined;

const act = async (task: Task): Promise<void> => {
  if ("copy" in task) {
    const { copy, open } = await load<Library>("dray");
    await copy(await open(task.copy[0]), await open(task.copy[1]));
  } else if ("command" in task) await command(task.command);
  else if ("registry" in task) {
    const { createRegistry, filesystemDriver } = await load<Server>("@dray/server");
    const driver = await filesystemDriver(task.registry);
    registry = createRegistry({ driver, gc: { grace: 0, lease: 1, untagged: 0 } });
    await registry.collect({ dryRun: true });
  } else {
    const { blobs = 0 } = (await registry?.collect()) ?? {};
    if (blobs === 0) throw new Error("nothing was collected, so this is not what should be counted");
  }
};

process.on("message", (message: { task?: Task }) => {
  if (message.task === undefined) return;
  act(message.task).then(
    () => process.send?.({ done: true }),
    (error: unknown) => process.send?.({ done: true, failed: error instanceof Error ? error.stack : String(error) }),
  );
});
