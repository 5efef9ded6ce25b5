import { type Client, clientsOf } from "./clients.ts";
import { type Sandbox, workshop } from "./dray.ts";
import { writeSamples } from "./samples.ts";
import { type Daemon, noDaemon, startDaemon } from "./serving.ts";

/** A workshop with the samples, the clients that people have, and docker's daemon where it can run. */
export interface Everybody {
  readonly shop: Sandbox;
  readonly clients: readonly Client[];
  readonly daemon: Daemon | undefined;
  /** Sends all of them home. */
  readonly leave: () => Promise<void>;
}

/** Calls all of them together. */
export const everybody = async (): Promise<Everybody> => {
  const shop = await workshop();
  await writeSamples(shop);
  const daemon = noDaemon() === false ? await startDaemon(shop) : undefined;
  const clients = await clientsOf({ shop, socket: daemon?.socket });
  const leave = async (): Promise<void> => {
    await daemon?.stop();
    await shop.close();
  };
  return { shop, clients, daemon, leave };
};
