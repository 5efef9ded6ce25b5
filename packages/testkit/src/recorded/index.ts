/**
 * The CNCF distribution's registry from its recorded answers, for tests of clients: an idea that our client and our server share is not
 * right by itself. Imports nothing of any package; the answers are made again by `npm run record`.
 */
export { type Peer, peers } from "./answers.ts";
export { type RecordedRegistry, type RecordedRegistryOptions, startRecordedRegistry } from "./registry.ts";
