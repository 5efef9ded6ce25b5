import { type MemoryRegistry, memoryRegistry } from "@dray/testkit";
import type { Handler } from "dray/http";
import {
  type Client,
  type ClientFactoryOptions,
  type RemoteClientFactory,
  remoteClientFactory,
} from "../src/client/index.ts";
import { parseRepository } from "../src/repository.ts";

/** A registry in memory, and a factory of clients whose requests go there, whatever registry they are for. */
export interface Clients {
  readonly registry: MemoryRegistry;
  readonly factory: RemoteClientFactory;
  readonly client: (repository?: string) => Promise<Client>;
}

/** @param handler what stands in front of the registry, such as faults */
export const clients = (
  options: ClientFactoryOptions = {},
  registry: MemoryRegistry = memoryRegistry({ sparse: true }),
  handler: Handler = registry.handler,
): Clients => {
  const factory = remoteClientFactory({
    rps: 10_000,
    burst: 10_000,
    connect: () => ({ connection: handler, ambient: false, retry: { attempts: 1 } }),
    ...options,
  });
  return {
    registry,
    factory,
    client: (name = "registry.example/team/app") => factory.clientFor(parseRepository(name)),
  };
};
