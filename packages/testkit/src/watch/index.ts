/**
 * What programs over `@dray/watch` are tested with: clients, factories and caches that answer as a test says, by failing too. Imports the shapes of
 * `@dray/watch`; knows no registry.
 */
export { type MockCache, mockCache } from "./mock-cache.ts";
export { type MockAnswers, type MockCall, type MockClient, mockClient } from "./mock-client.ts";
export { type MockClientFactory, mockClientFactory } from "./mock-factory.ts";
