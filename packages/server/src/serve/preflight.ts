import { constants } from "node:fs";
import { access, lstat, readFile, stat } from "node:fs/promises";
import { connect } from "node:net";
import { totalmem } from "node:os";
import { dirname } from "node:path";
import { type Origin, type Remark, textOf } from "@dray/service/config";
import { bind, type ListenAddress } from "@dray/service/http-server";
import { tlsFaults, validityFault } from "@dray/service/program";
import { emptyBody } from "@dray/service/response";
import { reasonOf } from "dray/errors";
import { diskError, errnoOf } from "dray/internal/files";
import type { Settings } from "../config/index.ts";
import { filesystemDriver } from "../storage/index.ts";
import { running } from "./control-socket.ts";
import { holdsNoFiles, sizeAt } from "./file-systems.ts";
import { accessOf, refuseForeignIndex } from "./open-registry.ts";

interface Findings {
  /** Nothing would start with these. */
  readonly complaints: Remark[];
  readonly warnings: Remark[];
}

type Tell = (kind: keyof Findings, key: string, error: unknown) => void;

/**
 * What on this machine would keep a registry with these settings from starting, or from doing all that they say: files, folders,
 * sockets, ports, certificates, keys, users. Everything at once; nothing is made and nothing changed.
 */
export const preflight = async (settings: Settings, now: number = Date.now()): Promise<Findings> => {
  const findings: Findings = { complaints: [], warnings: [] };
  const originOf = (key: string): Origin =>
    settings.effective.find((each) => each.key === key)?.origin ?? { kind: "default" };
  const tell: Tell = (kind, key, error) => {
    const message = reasonOf(error);
    findings[kind].push({ key, origin: originOf(key), message });
  };
  await lookAtStorage(settings, tell);
  await lookAtAccess(settings, tell);
  await lookAtListening(settings, tell, now);
  await lookAtLogs(settings, tell);
  return findings;
};

const lookAtStorage = async (settings: Settings, tell: Tell): Promise<void> => {
  const { storage, registry } = settings;
  if (storage.driver !== "filesystem") return;
  const key = "storage.filesystem.rootdirectory";
  const driver = await filesystemDriver(storage.root, { readOnly: true }).catch((error: unknown) => {
    tell("complaints", key, error);
  });
  try {
    if (driver === undefined) return;
    if (registry.readOnly !== true) await driver.volume.look();
    const nothing = await holdsNoFiles(storage.root);
    if (nothing !== undefined) tell("complaints", key, nothing);
    // Where the folder is to be made, its size is that of the disk above it.
    const total = await sizeAt(dirname(driver.volume.own));
    if (nothing === undefined && registry.freeSpace !== undefined && registry.freeSpace >= total)
      tell("warnings", "dray.freespace", "is as much as the whole disk has: nothing could ever be pushed; write less");
  } catch (error) {
    const isRead = errnoOf((error as Error).cause) === "EROFS" && (await isThere(storage.root));
    tell(isRead ? "warnings" : "complaints", key, error);
  } finally {
    await driver?.close();
  }
  const { memory = 0 } = registry;
  if (memory >= totalmem()) tell("warnings", "dray.memory", "is as much as this machine has in all; write less");
  try {
    if ((await running(settings)) !== undefined)
      tell("warnings", key, "a registry serves this folder now; a second one that writes to it does not start");
  } catch (error) {
    tell("warnings", key, error);
  }
  try {
    refuseForeignIndex(settings);
  } catch (error) {
    tell("complaints", "dray.index", error);
    return;
  }
  if (storage.index !== undefined)
    await couldWrite(storage.index).catch((error: unknown) => tell("warnings", "dray.index", error));
};

const lookAtAccess = async ({ access: wanted }: Settings, tell: Tell): Promise<void> => {
  const look = async (key: string, part: Settings["access"]): Promise<void> => {
    try {
      const opened = await accessOf(part, ({ message }) => tell("warnings", key, message));
      await opened.close?.();
    } catch (error) {
      tell("complaints", key, error);
    }
  };
  if (wanted.kind === "htpasswd") await look("auth.htpasswd.path", wanted);
  if (wanted.kind !== "token") return;
  const { rootcertbundle, jwks, jwksUrl: _, ...rest } = wanted.options;
  if (rootcertbundle !== undefined)
    await look("auth.token.rootcertbundle", { kind: "token", options: { ...rest, rootcertbundle } });
  if (jwks !== undefined) await look("auth.token.jwks", { kind: "token", options: { ...rest, jwks } });
};

const lookAtListening = async (
  { listen: { address, tls }, debug }: Settings,
  tell: Tell,
  now: number,
): Promise<void> => {
  const keys = { certificate: "http.tls.certificate", key: "http.tls.key", clientCas: "http.tls.clientcas" } as const;
  const faults = tls === undefined ? [] : await tlsFaults(tls);
  for (const { file, error } of faults) tell("complaints", keys[file], error);
  if (tls !== undefined && faults.length === 0) {
    const fault = validityFault(textOf(await readFile(tls.certificate)), now);
    if (fault !== undefined) tell("warnings", keys.certificate, fault);
  }
  await lookAtAddress(address, (kind, error) => tell(kind, "http.addr", error));
  if (debug !== undefined && "host" in debug.address && ["::", "0.0.0.0"].includes(debug.address.host))
    tell(
      "warnings",
      "http.debug.addr",
      `listens on every interface and asks nobody for a password: whoever reaches it may take the registry out of service; write 127.0.0.1:${debug.address.port}, or see that a firewall keeps others away`,
    );
  if (debug !== undefined) await lookAtAddress(debug.address, (kind, error) => tell(kind, "http.debug.addr", error));
};

/** Who listens there now may be the registry that is to be started again. */
const lookAtAddress = async (
  address: ListenAddress,
  tell: (kind: keyof Findings, error: unknown) => void,
): Promise<void> => {
  if ("unix" in address) {
    const { unix } = address;
    const facts = await lstat(unix).catch(() => undefined);
    if (facts === undefined) await couldWrite(unix).catch((error: unknown) => tell("complaints", error));
    else if (!facts.isSocket())
      tell("complaints", `${unix} is there and is no socket; move it away, or choose another path`);
    else if (await answers(unix))
      tell("warnings", `somebody listens at ${unix} now; end that one before this one starts`);
    return;
  }
  const nothing = async () => ({ status: 503, headers: [], url: "", body: emptyBody });
  try {
    const listener = await bind(nothing, address, "--listen");
    await listener.close();
  } catch (error) {
    tell(errnoOf((error as Error).cause) === "EADDRINUSE" ? "warnings" : "complaints", error);
  }
};

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });

const lookAtLogs = async ({ log: { access: requests, audit } }: Settings, tell: Tell): Promise<void> => {
  const places = [
    ["dray.log.access.to", requests?.to],
    ["dray.log.audit.to", audit?.to],
  ] as const;
  for (const [key, to] of places)
    if (to !== undefined && to !== "stdout" && to !== "stderr")
      try {
        await couldWrite(to);
        if (!(await isThere(dirname(to))))
          tell("warnings", key, `there is no folder ${dirname(to)} yet; the start makes it, so see that it is meant`);
      } catch (error) {
        tell("complaints", key, error);
      }
};

/** Sees that a file may be written, or may be made with the folders above it. @throws DrayError `DISK` */
const couldWrite = async (path: string): Promise<void> => {
  try {
    if (await isThere(path)) {
      if ((await stat(path)).isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
      await access(path, constants.W_OK);
    } else await couldMakeIn(dirname(path));
  } catch (error) {
    throw diskError(error, "write", path);
  }
};

const couldMakeIn = async (folder: string): Promise<void> => {
  if (!(await isThere(folder)) && folder !== dirname(folder)) return couldMakeIn(dirname(folder));
  if (!(await stat(folder)).isDirectory()) throw Object.assign(new Error(), { code: "ENOTDIR" });
  await access(folder, constants.W_OK | constants.X_OK);
};

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
