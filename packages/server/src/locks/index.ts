/** What keeps uses of a digest and its removal apart: locks by digest, locks by key. Knows no storage and no protocol. */

export { KeyedMutex } from "./keyed-mutex.ts";
export { KeyedRwLock } from "./keyed-rw-lock.ts";
