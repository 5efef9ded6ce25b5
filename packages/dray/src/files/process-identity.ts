import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** What tells a process from every other one, now and later, here and elsewhere. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the system's own count; a later process may get the same pid. `0` where the system does not say. */
  readonly started: string;
  /** Where its pid means something: host, boot and container. */
  readonly machine: string;
}

/** This process. */
export const thisProcess = (): ProcessIdentity => ({
  pid: process.pid,
  started: factsOf(process.pid)?.started ?? "0",
  machine: machine(),
});

/**
 * Whether a process is alive; `undefined` for one of another machine, boot or container, about which nobody here can know. One that
 * has ended and whose parent has not asked for it yet is dead.
 */
export const isAlive = ({ pid, started, machine: where }: ProcessIdentity): boolean | undefined => {
  if (where !== machine()) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const facts = factsOf(pid);
  return facts === undefined || (facts.started === started && !dead.has(facts.state));
};

/** Ended, and not asked for yet (Z), or on its way out of the table (X, and x of older kernels). */
const dead: ReadonlySet<string> = new Set(["Z", "X", "x"]);

/** Fields 3 and 22 of /proc/PID/stat. The second field, the program's name, may hold blanks and brackets. */
const factsOf = (pid: number): { readonly state: string; readonly started: string } | undefined => {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, started] = [fields?.[0], fields?.[19]];
  return state === undefined || started === undefined ? undefined : { state, started };
};

let known: string | undefined;

/** Containers often share a host name or a boot, and have process 1 each; a host gets a new boot identity with each start. */
const machine = (): string => {
  known ??= createHash("sha256")
    .update(hostname())
    .update(attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1")) ?? "")
    .update(attempt(() => readlinkSync("/proc/self/ns/pid")) ?? "")
    .digest("hex")
    .slice(0, 12);
  return known;
};

const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch {
    // Not Linux, or a process that has gone.
    return undefined;
  }
};
