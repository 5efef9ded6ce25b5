import { control } from "@dray/service/control";
import { CloseStack } from "@dray/service/program";
import { DrayError } from "dray/errors";
import type { Settings } from "../config/index.ts";
import type { Notice } from "../notice.ts";
import { auditLog } from "../observing/index.ts";
import { actionsOf } from "./actions.ts";
import { type ControlClient, controls, socketPath } from "./controls.ts";
import { openRegistry } from "./open-registry.ts";
import { audited } from "./operations.ts";

const streams: ReadonlySet<string> = new Set(["stdout", "stderr"]);

/**
 * Has something done to a volume: by the registry that serves it, or where none is running by this process, which locks the volume
 * meanwhile. Promises of blobs that were made before a start bind nobody where nobody pushes.
 * @throws DrayError `LOCKED`, `DENIED`, and whatever goes wrong
 */
export const maintain = async <T>(
  settings: Settings,
  onNotice: (notice: Notice) => void,
  work: (client: ControlClient) => Promise<T>,
): Promise<T> => {
  if (settings.storage.driver !== "filesystem")
    throw new DrayError(
      "USAGE",
      "a registry in memory lives in its process alone; name the folder of the data: --data DIR",
    );
  const running = await control(socketPath(settings.storage.root), controls);
  if (running !== undefined) return work(running);
  const settled = { ...settings, registry: { ...settings.registry, gc: { ...settings.registry.gc, lease: 0 } } };
  const { registry } = await openRegistry(settled, { onNotice });
  const opened = new CloseStack();
  try {
    registry.start();
    const { audit: to } = settings.log;
    // A stream of this process is the command's own.
    const audit = to === undefined || streams.has(to.to) ? undefined : auditLog(await opened.lines(to.to));
    const alone = actionsOf({
      registry,
      reload: async () => ({ restart: [] }),
      status: () => ({ running: false }),
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
    await opened.close();
    await registry.close();
  }
};
