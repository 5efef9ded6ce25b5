/**
 * Images as views over a store: what they are made of, whether they are whole, and what becomes of them.
 * Imports everything below; knows no command and no server.
 */
export * from "./compress.ts";
export * from "./validate.ts";
export * from "./views.ts";
