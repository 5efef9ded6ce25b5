import type { Keychain } from "dray/auth";
import { backoff, type Clock, type RetryOptions, systemClock, type TraceRecord } from "dray/http";
import { defined } from "dray/internal/defined";
import { type WantedPlatform, wantedPlatform } from "dray/oci";
import type { ConnectOptions } from "dray/registry";
import type { Repository } from "../repository.ts";
import type { BackoffOptions } from "./backoff.ts";
import type { Client } from "./client.ts";
import { ConfigurationReader, type Configurations, memoryConfigurations } from "./configurations.ts";
import { Connections } from "./connections.ts";
import { Rate, type RateOptions } from "./rate.ts";
import { remoteClient } from "./remote-client.ts";

/** Makes clients, one for each repository and whoever asks. */
export interface ClientFactory {
  /** No request is sent for it. @throws DrayError `USAGE` */
  clientFor(repository: Repository, credentials?: Keychain): Promise<Client>;
  /** A repository was looked through without a fault: its registry may be asked faster again, where it was told to go slower. */
  succeed(repository: Repository): void;
  /** Closes connections; what still runs goes on to its end. */
  close(): Promise<void>;
}

/** How registries are asked. */
export interface ClientFactoryOptions extends RateOptions {
  /** Hears of every request on the wire. No credential is in it. */
  readonly trace?: ((record: TraceRecord) => void) | undefined;
  /** Registries, with or without their port, whose certificates do not matter, and that may speak plain http. */
  readonly insecureHosts?: readonly string[] | undefined;
  /** What images are wanted for, in order: the first that there is decides what an entry tells. Default: the first image, whatever it is for. */
  readonly platforms?: readonly (string | WantedPlatform)[] | undefined;
  /** Configurations that were read. Default: in memory, the last 10,000. */
  readonly configurations?: Configurations | undefined;
  /** Waits between attempts, and how many there are: 5 unless said otherwise. */
  readonly backoff?: Omit<BackoffOptions, "clock"> | undefined;
  /** Milliseconds for which a request may wait for its turn, and for a registry that says when to come back. Default two minutes. */
  readonly maxWait?: number | undefined;
  /** What else holds for a registry: middlewares of budgets, certificates, mirrors. */
  readonly connect?: ((host: string) => ConnectOptions) | undefined;
  readonly clock?: Clock | undefined;
}

/** A factory whose clients ask their registries, and which tells how fast that is. */
export interface RemoteClientFactory extends ClientFactory {
  /** Requests a second at which a registry is asked now. */
  rps(host: string): number;
}

/**
 * A factory of clients that ask their registries: one connection for each registry and identity, one rate for each registry, one memory of configurations
 * for all.
 * @throws DrayError `USAGE`, `PLATFORM_INVALID`
 * @example
 * const factory = remoteClientFactory({ rps: 20, platforms: ["linux/arm64"] });
 * const client = await factory.clientFor(parseRepository("quay.io/team/app"));
 * const { tags, complete } = await client.tags();
 * const { info, excluded } = await client.manifest("v1.2");
 * factory.succeed(client.repository);
 * await factory.close();
 */
export const remoteClientFactory = (options: ClientFactoryOptions = {}): RemoteClientFactory => {
  const { clock = systemClock, maxWait = 120_000, insecureHosts = [], connect: connectTo } = options;
  const platforms = (options.platforms ?? []).map(wantedPlatform);
  const configurations = new ConfigurationReader(options.configurations ?? memoryConfigurations());
  const rates = new Map<string, Rate>();
  const rateOf = (host: string): Rate => {
    const rate = rates.get(host) ?? new Rate(host, options, maxWait, clock);
    rates.set(host, rate);
    return rate;
  };
  // Wrong numbers are refused here and not at the first request.
  rateOf("");
  rates.clear();

  const { initial, max, attempts } = options.backoff ?? {};
  const waits = [initial, max].filter((wait) => wait !== undefined).length;
  const optionsOf = (host: string): ConnectOptions => {
    const given = connectTo?.(host) ?? {};
    const insecure = insecureHosts.some((each) => each === host || each === host.replace(/:\d+$/, ""));
    return defined<ConnectOptions>({
      ...given,
      insecure: insecure || given.insecure,
      trace: options.trace ?? given.trace,
      middleware: [...[given.middleware ?? []].flat(), rateOf(host).middleware],
      retry: {
        ...given.retry,
        ...defined<RetryOptions>({
          maxWait,
          attempts,
          clock,
          delay: waits === 0 ? undefined : backoff(defined({ first: initial, longest: max })),
        }),
      },
      budget: { ...given.budget, maxWait, clock },
    });
  };
  const connections = new Connections(optionsOf);

  return {
    clientFor: async (repository, credentials) =>
      remoteClient({
        repository,
        platforms,
        configurations,
        clock,
        within: (work) =>
          connections.with(repository.host, credentials, (registry) =>
            work(registry.repository(repository.namespaceImage)),
          ),
      }),
    succeed: ({ host }) => rates.get(host)?.succeed(),
    rps: (host) => rateOf(host).rps,
    close: () => connections.close(),
  };
};
