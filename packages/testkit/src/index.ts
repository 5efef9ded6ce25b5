/**
 * A registry in memory with scripted faults, a token server and sample images: what tests use in place of mocks.
 * Imports the words and shapes of `dray`; knows nothing of its clients, whose work it is there to check.
 */
export * from "./certificates/index.ts";
export { type Chance, chanceOf } from "./chance.ts";
export { type DnsServer, type SrvRecord, startDnsServer } from "./dns-server.ts";
export * from "./exchange.ts";
export { type FakeClock, fakeClock } from "./fake-clock.ts";
export * from "./faults/index.ts";
export { seededBytes } from "./files/index.ts";
export * from "./hosts.ts";
export * from "./images/index.ts";
export * from "./listen.ts";
export * from "./log.ts";
export * from "./raw-client.ts";
export * from "./registry/index.ts";
export * from "./synthetic.ts";
export * from "./tokens/index.ts";
