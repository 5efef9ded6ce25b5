import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";

const markOf = (path: string): string => `${path}-damaged`;

/** Whether somebody met damage in the file while it was in use. */
export const isMarkedDamaged = (path: string): boolean => existsSync(markOf(path));

/** Says to the next start what this one found: a page is read when it is needed, perhaps after hours. */
export const markDamaged = (path: string): void => {
  if (path === ":memory:") return;
  try {
    writeFileSync(markOf(path), "");
  } catch {
    // The next start meets the same page.
  }
};

/** Moves the file, and what SQLite keeps beside it, out of the way, under a name that says when. */
export const moveAside = (
  path: string,
  onNotice: ((message: string) => void) | undefined,
  reason = "it was found damaged while in use",
): void => {
  const now = new Date().toISOString().replaceAll(":", "-");
  let aside = `${path}.damaged-${now}`;
  for (let n = 2; existsSync(aside); n++) aside = `${path}.damaged-${now}-${n}`;
  for (const suffix of ["", "-wal", "-shm", "-journal"])
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  rmSync(markOf(path), { force: true });
  onNotice?.(
    `${path} cannot be used (${reason}); it lies at ${aside} now, and a new one begins: everything is looked at as for the first time`,
  );
};
