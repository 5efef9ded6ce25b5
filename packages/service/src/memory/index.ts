/**
 * One bound on the bytes in memory of all that comes from clients and goes to them.
 * Imports the library alone; knows no socket, no file and nothing of what the bytes are.
 */
export { type Held, Memory, type Share } from "./memory.ts";
