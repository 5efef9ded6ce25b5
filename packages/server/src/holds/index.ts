/** What keeps uses of a digest and its removal apart: locks by digest, locks by key, leases. Knows no storage and no protocol. */
export { KeyedRwLock } from "./digest-locks.ts";
export { KeyedMutex } from "./keyed-lock.ts";
export { Leases } from "./leases.ts";
