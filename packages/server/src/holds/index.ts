/** What keeps uses of a digest and its removal apart: locks by digest, locks by key, leases. Knows no storage and no protocol. */
export { DigestLocks } from "./digest-locks.ts";
export { KeyedLock } from "./keyed-lock.ts";
export { Leases } from "./leases.ts";
