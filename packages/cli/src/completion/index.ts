/** Completion in shells: their scripts, and the words that these ask for. Knows the commands only as a table that it is given. */
export { answer } from "./answer.ts";
export { completionScript, type Shell, shells } from "./scripts.ts";
