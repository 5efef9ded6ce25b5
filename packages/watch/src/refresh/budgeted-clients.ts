import { identityOf, type Keychain, kindOf } from "dray/auth";
import type { Clock } from "dray/http";
import { defined } from "dray/internal/defined";
import type { WantedPlatform } from "dray/oci";
import type { ConnectOptions } from "dray/registry";
import { type Budgets, withinBudget } from "../budget/index.ts";
import {
  type Client,
  type ClientFactoryOptions,
  type RemoteClientFactory,
  remoteClientFactory,
} from "../client/index.ts";
import type { WatchFile } from "../file/index.ts";
import type { Repository } from "../repository.ts";
import { fileConfigurations } from "../state/index.ts";

/** Who asks, and with what care. */
export interface BudgetedClientsOptions {
  /** Where configurations are kept that were read once. */
  readonly file: WatchFile;
  readonly budgets: Budgets;
  /** Credentials for a registry, asked for before each look: what they are today. */
  readonly keychain: (host: string) => Keychain;
  /** How a registry is reached. */
  readonly connect: (host: string) => ConnectOptions;
  readonly platforms?: readonly WantedPlatform[] | undefined;
  /** Milliseconds that a request may wait for its registry. Default 30 s: whoever asks on a schedule comes again instead. */
  readonly maxWait?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** Clients of registries, each within the budget of whoever asks there. */
export interface BudgetedClients {
  clientFor(repository: Repository): Promise<Client>;
  /** A repository was looked through without a fault: its registry may be asked faster again, whoever asks. */
  succeed(repository: Repository): void;
  close(): Promise<void>;
}

/**
 * Clients for a watch: who asks is found out before each look, and has a budget and connections of its own, so that another password is another
 * beginning and a limit of one is none of the other.
 * @example
 * const clients = budgetedClients({ file, budgets: new Budgets(file.statements), keychain: () => dockerConfig(), connect: () => ({}) });
 * const refresh = createRefresh({ file, clientFor: (repository) => clients.clientFor(repository) });
 */
export const budgetedClients = (options: BudgetedClientsOptions): BudgetedClients => {
  const { file, budgets, keychain, connect, platforms, maxWait = 30_000, clock } = options;
  const factories = new Map<string, RemoteClientFactory>();
  const configurations = fileConfigurations(file);
  /** The same one for the same secret: connections are told apart by it. */
  const keychains = new Map<string, Keychain>();
  const factoryOf = (host: string, identity: string): RemoteClientFactory => {
    const key = `${host} ${identity}`;
    const known = factories.get(key);
    if (known !== undefined) return known;
    const within = withinBudget(budgets.of({ registry: host, identity }), defined({ maxWait, clock }));
    const made = remoteClientFactory(
      defined<ClientFactoryOptions>({
        configurations,
        platforms,
        maxWait,
        clock,
        connect: (name) => {
          const given = connect(name);
          return { ...given, middleware: [...[given.middleware ?? []].flat(), within] };
        },
      }),
    );
    factories.set(key, made);
    return made;
  };
  return {
    clientFor: async (repository) => {
      const { host, namespaceImage } = repository;
      const found = keychain(host);
      const credential = await found({ registry: host, repository: namespaceImage });
      const isAnonymous = credential === undefined || kindOf(credential) === "anonymous";
      const identity = isAnonymous ? "" : (credential.username ?? kindOf(credential));
      const key = `${host} ${identityOf(credential)}`;
      const kept = keychains.get(key) ?? found;
      keychains.set(key, kept);
      return factoryOf(host, identity).clientFor(repository, isAnonymous ? undefined : kept);
    },
    succeed: (repository) => {
      for (const [key, factory] of factories) if (key.startsWith(`${repository.host} `)) factory.succeed(repository);
    },
    close: async () => void (await Promise.all([...factories.values()].map((factory) => factory.close()))),
  };
};
