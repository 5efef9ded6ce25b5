import { readdir, readFile } from "node:fs/promises";

/** Descriptors that this process has, and may have. */
export interface Descriptors {
  readonly used: number;
  readonly most: number;
}

/** As Linux tells it; `undefined` on other systems, and without a limit. */
export const descriptors = async (): Promise<Descriptors | undefined> => {
  try {
    const limits = await readFile("/proc/self/limits", "utf8");
    const most = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1]);
    return most > 0 ? { used: (await readdir("/proc/self/fd")).length, most } : undefined;
  } catch {
    return undefined;
  }
};

/** Parts of all descriptors from which on, and down to which, room is made. */
const [scarce, enough] = [0.8, 0.7];

/** How many have to go, so that whoever comes still finds one. */
export const tooMany = ({ used, most }: Descriptors): number =>
  used > most * scarce ? Math.ceil(used - most * enough) : 0;
