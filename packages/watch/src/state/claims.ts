import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Statements } from "@dray/service/sqlite";

/** Who looks at repositories, told apart from every other process and from every other engine in it. */
export const newHolder = (): string => `${hostname()} ${process.pid} ${randomUUID()}`;

/**
 * Takes a repository for one look, or for the rest of it, within a transaction; `false`: somebody else looks at it. A claim ends by itself after
 * `lease` milliseconds, with its process where that was on this machine, and where a clock that was set makes it last for ever.
 */
export const claim = (on: Statements, id: number, holder: string, now: number, lease = 120_000): boolean => {
  const [by, until] = on.get("SELECT held_by, held_until FROM repositories WHERE id = ?", id) ?? [];
  const isHeld = typeof by === "string" && by !== holder && Number(until) > now && Number(until) <= now + 2 * lease;
  if (isHeld && !isDead(by)) return false;
  on.run("UPDATE repositories SET held_by = ?, held_until = ? WHERE id = ?", holder, now + lease, id);
  return true;
};

/** Lets go of it. */
export const release = (on: Statements, id: number, holder: string): void =>
  void on.run("UPDATE repositories SET held_by = NULL, held_until = NULL WHERE id = ? AND held_by = ?", id, holder);

const isDead = (holder: string): boolean => {
  const [host, pid] = holder.split(" ");
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
};
