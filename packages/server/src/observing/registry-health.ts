import { atMostOnceIn, faultOf, type HealthSources } from "@dray/service/observe";
import { type Clock, systemClock } from "dray/http";
import type { Driver } from "../storage/index.ts";

/** What a registry's health is told from. */
export interface RegistrySources {
  readonly driver: Driver;
  /** The driver's name in the configuration; distribution calls its check `storagedriver_NAME`. */
  readonly name: string;
  /** Bytes that must stay free, below which pushes get 503. Default 0. */
  readonly freeSpace?: number;
  /** Bytes that pushes on their way have announced and not brought yet. */
  readonly promised?: () => number;
  readonly whole?: () => boolean;
  readonly readOnly?: () => boolean;
  readonly stopping?: () => boolean;
  /** Hears when a check changes: what `/readyz` does not say to everybody. */
  readonly onChange?: (message: string) => void;
}

interface Faults {
  readonly read?: string | undefined;
  readonly write?: string | undefined;
  readonly space: "ok" | "promised" | "low" | "unknown";
}

/** Bytes that the disk must have left for others than those who announced theirs: the largest manifest. */
const smallPush = 4 * 1024 * 1024;

const shortOf: Partial<Record<Faults["space"], string>> = {
  low: "there is little space left",
  promised: "what space is left is wanted by pushes on their way: others get 503 until these have ended",
};

/** Where it tries to write: beside the tree. */
const probe = "dray/health";

/**
 * Ready means that a registry can serve pulls. What stops pushes alone (a full or read-only disk, the read-only switch) and what merely
 * slows it (an index being rebuilt) is told and does not make it unready: its pulls would be lost as well, and a full disk would take
 * every replica out of service at once.
 */
export const registryHealth = (
  { driver, name, freeSpace = 0, promised, whole, readOnly, stopping, onChange }: RegistrySources,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): HealthSources => {
  const fault = (work: () => Promise<unknown>): Promise<string | undefined> => faultOf(work, { clock });
  let said = "";
  const tell = (faults: Faults): Faults => {
    const now = faults.read ?? faults.write ?? shortOf[faults.space] ?? "";
    if (now !== said) onChange?.(now === "" ? "the storage is well again" : `storage: ${now}`);
    said = now;
    return faults;
  };
  const ask = async (): Promise<Faults> => {
    const read = await fault(async () => {
      await driver.refuseGone?.();
      await driver.stat("docker");
    });
    if (read !== undefined) return { read, space: "unknown" };
    const write = readOnly?.()
      ? undefined
      : await fault(() => driver.write(probe, new TextEncoder().encode("ok\n"), { durable: false }));
    let space: Faults["space"] = "unknown";
    await fault(async () => {
      const found = await driver.space?.();
      if (found === undefined) return;
      const left = found.free - Math.max(freeSpace, 1);
      const wanted = promised?.() ?? 0;
      space = left < 0 ? "low" : wanted > 0 && left - wanted < smallPush ? "promised" : "ok";
    });
    return { write, space };
  };
  const storage = atMostOnceIn(async () => tell(await ask()), { clock });
  return {
    stopping,
    look: async () => {
      const { read, write, space } = await storage();
      return {
        told: {
          storage: read !== undefined ? "unreadable" : write !== undefined ? "unwritable" : "ok",
          space,
          index: (whole?.() ?? true) ? "whole" : "rebuilding",
          mode: readOnly?.() ? "read-only" : "read-write",
        },
        failing: read === undefined ? {} : { [`storagedriver_${name}`]: read },
      };
    },
  };
};
