/** Uploads hashed and written by other threads. Imports `storage/`; knows no session. */
export { closeReceiveWorkers } from "./pool.ts";
export { receiveInThread } from "./receive-in-thread.ts";
