import { control } from "@dray/service/control";
import { DrayError } from "dray/errors";
import type { Settings } from "../config/index.ts";
import type { Notice } from "../notice.ts";
import { actionsOf } from "./actions.ts";
import { type ControlClient, controls, socketPath } from "./controls.ts";
import { openRegistry } from "./open-registry.ts";

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
  const alone = { ...settings, registry: { ...settings.registry, gc: { ...settings.registry.gc, lease: 0 } } };
  const { registry } = await openRegistry(alone, { onNotice });
  try {
    registry.start();
    const actions = actionsOf({
      registry,
      reload: async () => ({ restart: [] }),
      status: () => ({ running: false }),
    });
    return await work({
      ask: (name, options, { onProgress = () => {}, signal = new AbortController().signal } = {}) => {
        const act = actions[name] as (options: object, context: object) => Promise<never>;
        return act(options, { tell: onProgress, signal });
      },
    });
  } finally {
    await registry.close();
  }
};
