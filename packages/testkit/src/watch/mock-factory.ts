import type { Client, ClientFactory, Repository } from "@dray/watch";

/** A factory that remembers what it was asked. */
export interface MockClientFactory extends ClientFactory {
  readonly asked: readonly Repository[];
  readonly succeeded: readonly Repository[];
  readonly closed: boolean;
}

/**
 * A factory of clients that a test has made.
 * @param clients one for every repository, or a function that makes them
 * @param error what is thrown in place of a client: a factory that fails
 * @example
 * const factory = mockClientFactory(mockClient(), new Error("no credentials"));
 * await assert.rejects(factory.clientFor(parseRepository("alpine")), /no credentials/);
 */
export const mockClientFactory = (
  clients: Client | ((repository: Repository) => Client),
  error?: Error,
): MockClientFactory => {
  const asked: Repository[] = [];
  const succeeded: Repository[] = [];
  let closed = false;
  return {
    asked,
    succeeded,
    get closed() {
      return closed;
    },
    clientFor: async (repository) => {
      asked.push(repository);
      if (error !== undefined) throw error;
      return typeof clients === "function" ? clients(repository) : clients;
    },
    succeed: (repository) => void succeeded.push(repository),
    close: async () => {
      closed = true;
    },
  };
};
