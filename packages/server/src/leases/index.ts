/** Promises of blobs to clients, with an end. Knows no storage and no protocol. */
export { Leases } from "./leases.ts";
