import type { Statements } from "@dray/service/sqlite";
import type { Digest } from "dray/oci";
import { digestBytes } from "../state/index.ts";
import type { KnownTimes } from "./release-time.ts";

/**
 * Keeps what is found out about a digest of a repository, within a transaction. The first sight stays the first: whoever pushes the same again, or moves a
 * tag away and back, makes nothing younger. What a registry says replaces what it said before.
 */
export const keepTimes = (on: Statements, repository: string, digest: Digest, times: KnownTimes): void => {
  for (const [source, time] of Object.entries(times)) {
    const changed = source === "first-seen" ? "min(time, excluded.time)" : "excluded.time";
    on.run(
      `INSERT INTO release_times VALUES (?, ?, ?, ?) ON CONFLICT (repository, digest, source) DO UPDATE SET time = ${changed}`,
      repository,
      digestBytes(digest),
      source,
      Math.floor(time / 1000),
    );
  }
};

/** What is kept of a digest. */
export const timesOf = (on: Statements, repository: string, digest: Digest): KnownTimes =>
  Object.fromEntries(
    on
      .all(
        "SELECT source, time FROM release_times WHERE repository = ? AND digest = ?",
        repository,
        digestBytes(digest),
      )
      .map(([source, time]) => [String(source), Number(time) * 1000]),
  );
