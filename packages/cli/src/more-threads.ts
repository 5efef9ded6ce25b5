/** Threads that wait for disks. A sync holds one of them for its whole time, and the runtimes bring two (Bun) or four (Node). */
const wanted = "32";

/**
 * Begins this process again, as itself, with more threads for files: their number is read from the environment when a process
 * starts, and never later. Does nothing where somebody has said how many, or where the system cannot.
 */
export const withMoreThreads = (): void => {
  const { env, execPath, execArgv, argv } = process;
  if (env["UV_THREADPOOL_SIZE"] !== undefined || typeof process.execve !== "function") return;
  // In the one executable the second word is a file inside it.
  const words = argv[1]?.startsWith("/$bunfs/") ? argv.slice(2) : [...execArgv, ...argv.slice(1)];
  try {
    process.execve(execPath, [execPath, ...words], { ...env, UV_THREADPOOL_SIZE: wanted });
  } catch {
    // It works without, and more slowly.
  }
};
