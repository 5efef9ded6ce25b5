import { CloseStack } from "@dray/service/program";
import { DrayError, isDrayError } from "dray/errors";
import { systemClock } from "dray/http";
import { ifThere, nodeFiles, onDisk } from "dray/internal/files";
import type { Settings } from "../config/index.ts";
import type { Notice } from "../notice.ts";
import { auditLog } from "../observing/index.ts";
import { makeForOwner } from "../storage/index.ts";
import { actionsOf } from "./actions.ts";
import { runningWriter } from "./control-socket.ts";
import type { ControlClient } from "./controls.ts";
import { GcPause } from "./gc-pause.ts";
import { type OpenRegistry, openRegistry } from "./open-registry.ts";
import { audited } from "./operations.ts";

const streams: ReadonlySet<string> = new Set(["stdout", "stderr"]);

export interface MaintainOptions {
  /** What is being done, for another process that wants the volume meanwhile: `` `dray serve gc` ``. */
  readonly who: string;
  /** `true`: it looks alone, so it locks nothing and makes nothing. Default `false`. */
  readonly reads?: boolean;
  /** Milliseconds to wait for who has the volume and cannot be asked, because he is beginning or ending. Default 10 s. */
  readonly patience?: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  readonly onNotice: (notice: Notice) => void;
}

/** Milliseconds between two tries. */
const between = 200;

/**
 * Has something done to a volume: by the registry that writes to it, or where none is running by this process, which locks the volume
 * meanwhile if it writes. Promises of blobs that were made before a start bind nobody where nobody pushes.
 * @throws DrayError `LOCKED`, `DENIED`, and whatever goes wrong
 */
export const maintain = async <T>(
  settings: Settings,
  options: MaintainOptions,
  work: (client: ControlClient) => Promise<T>,
): Promise<T> => {
  const { patience = 10_000, reads = false, signal } = options;
  await isThere(settings);
  for (const until = performance.now() + patience; ; ) {
    const running = await runningWriter(settings);
    if (running !== undefined) return work(running);
    try {
      return await doing(await opened(settings, options), reads ? undefined : settings.log.audit?.to, work);
    } catch (error) {
      if (!(error instanceof Busy)) throw error;
      if (performance.now() >= until) throw error.cause;
    }
    await systemClock.sleep(between, signal);
  }
};

/** A folder that is not there is a word that was mistyped: to look at a new one, or to clean it, would say that all is well. */
const isThere = async ({ storage }: Settings): Promise<void> => {
  if (storage.driver !== "filesystem") return;
  const { root } = storage;
  if ((await onDisk("read", root, () => ifThere(() => nodeFiles.stat(root)))) !== undefined) return;
  throw new DrayError("NOT_FOUND", `there is no folder ${root}; check the path of the data`, { reference: root });
};

/** Somebody has the volume, and may be about to answer or to go. */
class Busy extends Error {}

const opened = async (settings: Settings, { who, reads, onNotice }: MaintainOptions): Promise<OpenRegistry> => {
  const alone = { ...settings, registry: { ...settings.registry, gc: { ...settings.registry.gc, lease: 0 } } };
  try {
    return await openRegistry(alone, { onNotice, who, readOnly: reads });
  } catch (error) {
    if (isDrayError(error, "LOCKED")) throw new Busy("the volume is held", { cause: error });
    throw error;
  }
};

const doing = async <T>(
  { registry, driver, giveIndex }: OpenRegistry,
  to: string | undefined,
  work: (client: ControlClient) => Promise<T>,
): Promise<T> => {
  const files = new CloseStack();
  try {
    registry.start();
    // A stream of this process is the command's own.
    const audit =
      to === undefined || streams.has(to)
        ? undefined
        : auditLog(await makeForOwner(nodeFiles, to, () => files.lines(to)));
    const alone = actionsOf({
      registry,
      driver,
      gcPause: new GcPause(driver),
      reload: async () => ({ restart: [] }),
      readOnly: async () => {},
      status: async () => ({ running: false }),
      audit,
    });
    const actions = audit === undefined ? alone : audited(alone, audit);
    return await work({
      ask: (name, options, { onProgress = () => {}, signal = new AbortController().signal } = {}) => {
        const act = actions[name] as (options: object, context: object) => Promise<never>;
        return act(options, { tell: onProgress, signal });
      },
    });
  } finally {
    await files.close();
    await registry.close();
    await giveIndex();
  }
};
