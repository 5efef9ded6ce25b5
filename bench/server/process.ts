/** What a server's process took, as the kernel counts it: all its threads, those that have ended too. */
import { readdirSync, readFileSync } from "node:fs";

/** Ticks of `/proc/PID/stat`; Linux tells programs of 100 a second on every machine. */
const ticks = 100;

/** Seconds of all cores, user and system, in steps of 10 ms. */
export const cpuSeconds = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name of the program may hold spaces and brackets; what follows does not.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticks;
};

/** As `cpuSeconds` in nanoseconds, for short work; a thread that ends meanwhile is not counted. */
export const fineCpuSeconds = (pid: number): number => {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`))
    try {
      sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "latin1").split(" ")[0]);
    } catch {
      // It has just ended.
    }
  return sum / 1e9;
};

const megabytes = (pid: number, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) / 1024;

/** MiB of memory at the highest since the start. */
export const peakMemory = (pid: number): number => megabytes(pid, "VmHWM");

/** MiB of memory now. */
export const memory = (pid: number): number => megabytes(pid, "VmRSS");
