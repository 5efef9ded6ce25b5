/**
 * Programs of others: found in `PATH`, run without a shell and within a time. Imports the errors alone; knows nothing of what they are run for.
 */
export { type Ended, type NotRun, type ProgramOptions, runProgram } from "./run.ts";
