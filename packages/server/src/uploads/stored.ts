import { type DigestAlgorithm, isObject } from "dray/oci";
import { uploadData, uploadFolder, uploadStarted, uploadsPath, walk } from "../distribution-tree/index.ts";
import type { Driver } from "../storage/index.ts";

/** Sessions as they lie in the tree: distribution's files, and one of ours beside them where there is something more to say. */
export interface StoredSession {
  readonly repository: string;
  readonly id: string;
}

/** As distribution writes them; its purge knows no others. Nothing else ever becomes a part of a path. */
export const isSessionId = (text: string): boolean =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text);

/** Whose session it is, and what its hash was announced to be. */
export interface SessionFacts {
  /** `""`: anybody who may push. */
  readonly owner: string;
  readonly algorithm: DigestAlgorithm;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

export interface FoundSession extends SessionFacts {
  /** Bytes that are there; `undefined` without a file for them. */
  readonly size: number | undefined;
  /** When bytes last came; milliseconds since 1970. */
  readonly addedAt: number;
}

const ours = (repository: string, id: string): string => `${uploadFolder(repository, id)}/session.json`;

/** Puts a session where a restart finds it. The owner comes first: without that file it would be anybody's. */
export const writeSession = async (
  driver: Driver,
  { repository, id }: StoredSession,
  { owner, algorithm, startedAt }: SessionFacts,
): Promise<void> => {
  // A power cut may take a session: whoever pushes begins again.
  const options = { durable: false };
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  if (owner !== "" || algorithm !== "sha256")
    await driver.write(ours(repository, id), bytes(JSON.stringify({ owner, algorithm })), options);
  const seconds = new Date(startedAt).toISOString().replace(/\.\d+Z$/, "Z");
  await driver.write(uploadStarted(repository, id), bytes(seconds), options);
};

/** What the tree says of a session; `undefined` where there is none, or nobody can tell whose it is. */
export const findSession = async (
  driver: Driver,
  { repository, id }: StoredSession,
): Promise<FoundSession | undefined> => {
  const [data, started] = await Promise.all([
    driver.stat(uploadData(repository, id)),
    driver.read(uploadStarted(repository, id)),
  ]);
  if (data === undefined && started === undefined) return undefined;
  const whose = parseOurs(await driver.read(ours(repository, id)));
  if (whose === undefined) return undefined;
  const startedAt = parseTime(started) ?? data?.mtime ?? 0;
  return { ...whose, startedAt, size: data?.size, addedAt: data?.mtime ?? startedAt };
};

/** Distribution's sessions have no such file, and no owner. */
const parseOurs = (bytes: Uint8Array | undefined): Pick<SessionFacts, "owner" | "algorithm"> | undefined => {
  if (bytes === undefined) return { owner: "", algorithm: "sha256" };
  try {
    const said: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (!isObject(said) || typeof said["owner"] !== "string") return undefined;
    return { owner: said["owner"], algorithm: said["algorithm"] === "sha512" ? "sha512" : "sha256" };
  } catch {
    return undefined;
  }
};

/** When anything last came to a session, whatever state its files are in; milliseconds since 1970. */
export const lastAddedTo = async (driver: Driver, { repository, id }: StoredSession): Promise<number | undefined> => {
  const data = await driver.stat(uploadData(repository, id));
  if (data !== undefined) return data.mtime;
  const begun = parseTime(await driver.read(uploadStarted(repository, id)));
  return begun ?? (await driver.stat(uploadFolder(repository, id)))?.mtime;
};

const parseTime = (bytes: Uint8Array | undefined): number | undefined => {
  const time = bytes === undefined ? Number.NaN : Date.parse(new TextDecoder().decode(bytes).trim());
  return Number.isNaN(time) ? undefined : time;
};

/** Every session in the tree, also in repositories that have no manifest yet. What cannot be listed is told and passed over. */
export async function* storedSessions(
  driver: Driver,
  onBroken: (path: string, error: unknown) => void,
): AsyncGenerator<StoredSession> {
  const names = async (path: string): Promise<string[]> => {
    try {
      return (await driver.list(path)) ?? [];
    } catch (error) {
      onBroken(path, error);
      return [];
    }
  };
  for await (const { repository, uploads } of walk(names))
    if (uploads) for (const id of await names(uploadsPath(repository))) if (isSessionId(id)) yield { repository, id };
}
