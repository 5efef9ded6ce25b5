import { stat } from "node:fs/promises";
import type { Body } from "../content/index.ts";
import { DrayError, isDrayError, type Remedy, reasonOf, throwIfAborted } from "../errors.ts";
import { errnoOf } from "../files/index.ts";
import { type Connection, connection, type Handler, header } from "../http/index.ts";
import { type EngineAddress, parseEngineHost } from "./address.ts";
import { openSshRelay } from "./ssh-relay.ts";

/** An engine that has answered. */
export interface ReachedEngine {
  readonly send: Handler;
  readonly origin: string;
  /** Before the path of each question, for an engine behind a proxy; most often nothing. */
  readonly path: string;
  /** How it is called in messages: its address. */
  readonly what: string;
  /** The newest API that it speaks: `1.41`. */
  readonly apiVersion: string | undefined;
  close(): Promise<void>;
}

/** How an engine is reached. */
export interface ReachOptions {
  /** Milliseconds for each connection, and for the first answer on it. */
  readonly timeout: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal | undefined;
}

/** Milliseconds that an engine may be silent in the midst of its work: it unpacks a layer, or waits for a registry. */
const silence = 900_000;
/** Milliseconds until the first byte of a save or the end of a load, for which an engine of old moves all of the image on its disk. */
const longWork = 3_600_000;

/**
 * Tries addresses one after the other and takes the first engine that answers.
 * @throws DrayError `NETWORK`, `TIMEOUT`, `TLS` saying what was tried, and why each was none; `CONFIG_INVALID`
 */
export const reachEngine = async (
  addresses: readonly EngineAddress[],
  options: ReachOptions,
): Promise<ReachedEngine> => {
  const faults: DrayError[] = [];
  for (const address of addresses) {
    try {
      return await reachOne(address, options);
    } catch (error) {
      throwIfAborted(options.signal);
      if (!isDrayError(error, "NETWORK", "TIMEOUT", "TLS", "ENGINE")) throw error;
      faults.push(error);
    }
  }
  const [first] = faults;
  if (faults.length === 1 && first !== undefined) throw first;
  // Where one is there and does not answer, that is the one that is meant.
  const cause = faults.find((fault) => !isNowhere(fault)) ?? first;
  throw new DrayError(
    cause?.code ?? "NETWORK",
    `there is no container engine that answers: ${faults.map(({ message }) => message).join("; ")}; start one, or name it by DOCKER_HOST or a docker context`,
    { cause },
  );
};

/** The system's name of what lies behind an error of ours. */
const codeBehind = (error: unknown): string | undefined =>
  isDrayError(error) ? codeBehind(error.cause) : errnoOf(error);

const isNowhere = (fault: DrayError): boolean => ["ENOENT", "ENOTDIR"].includes(codeBehind(fault) ?? "");

const reachOne = async (address: EngineAddress, options: ReachOptions): Promise<ReachedEngine> => {
  const { timeout, signal } = options;
  const host = parseEngineHost(address);
  const what = address.from === "the usual place" ? address.host : `${address.host} (${address.from})`;
  const timeouts = { connect: timeout, headers: timeout, idle: silence, commit: longWork };
  if (host.kind === "http") {
    const { origin, path } = host;
    const wire = connection({ ...address.tls, registry: new URL(origin).host, timeouts, env: options.env });
    return { ...(await greeted(wire, { origin, path, what, signal })), close: () => wire.close() };
  }
  const relay = host.kind === "ssh" ? await openSshRelay(host.destination, options.env) : undefined;
  const path = host.kind === "socket" ? host.path : (relay?.path as string);
  if (relay === undefined) await checkSocket(path, what);
  const wire = connection({ timeouts });
  const close = async (): Promise<void> => {
    await wire.close();
    relay?.close();
  };
  try {
    const greeting = { origin: `unix:${path}`, path: "", what, signal, fault: relay?.fault };
    return { ...(await greeted(wire, greeting)), close };
  } catch (error) {
    await close();
    throw error;
  }
};

/** Whether something can be connected to there: of a file a runtime says "refused" at best. */
const checkSocket = async (path: string, what: string): Promise<void> => {
  const facts = await stat(path).catch((cause: unknown) => {
    const code = errnoOf(cause);
    const why =
      code === "ENOENT" || code === "ENOTDIR"
        ? "there is no such socket"
        : code === "EACCES"
          ? "no permission to look there"
          : reasonOf(cause);
    throw new DrayError("NETWORK", `${what}: ${why}`, { cause });
  });
  if (facts.isSocket()) return;
  throw new DrayError("NETWORK", `${what}: that is a ${facts.isDirectory() ? "folder" : "file"} and no socket`);
};

interface Greeting {
  readonly origin: string;
  readonly path: string;
  readonly what: string;
  readonly signal: AbortSignal | undefined;
  /** What is known of a way that broke. */
  readonly fault?: (() => string | undefined) | undefined;
}

const greeted = async (
  wire: Connection,
  { origin, path, what, signal, fault }: Greeting,
): Promise<Omit<ReachedEngine, "close">> => {
  const { status, headers, body } = await wire({
    method: "GET",
    origin,
    target: `${path}/_ping`,
    headers: [],
    signal,
  }).catch((error: unknown) => {
    throwIfAborted(signal);
    if (!isDrayError(error, "NETWORK", "TIMEOUT", "TLS")) throw error;
    const said = fault?.() ?? reasons[codeBehind(error) ?? ""] ?? error.message;
    // What helps with a registry, an option of its connection, an engine's has not.
    const advice = error.remedy === undefined ? undefined : advices[error.remedy];
    throw new DrayError(error.code, `${what}: ${said}${advice === undefined ? "" : `; ${advice}`}`, { cause: error });
  });
  // Go's servers tell so in plain words where they are greeted without TLS.
  const wantsTls = status === 400 && /to an HTTPS server/.test(await firstOf(body));
  await body.discard();
  if (wantsTls) throw new DrayError("TLS", `${what}: it speaks TLS; ${speakTls}`);
  const apiVersion = header(headers, "api-version");
  // Engines before API 1.25 say OK and no more.
  if (status !== 200 || (apiVersion === undefined && header(headers, "server") === undefined))
    throw new DrayError("ENGINE", `${what}: what answers there is no container engine (status ${status})`);
  return { send: wire, origin, path, what, apiVersion };
};

/** The first words of an answer, where it has any. */
const firstOf = async ({ chunks }: Body): Promise<string> => {
  for await (const chunk of chunks) return Buffer.from(chunk).toString();
  return "";
};

const speakTls = "set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem";

const itsAuthority =
  "ca.pem in the folder that DOCKER_CERT_PATH names, or in the docker context, is who has to have signed it";

const advices: Readonly<Partial<Record<Remedy, string>>> = {
  "plain-http": "unset DOCKER_TLS_VERIFY, DOCKER_TLS and DOCKER_CERT_PATH, or name its port for TLS",
  "trust-authority": itsAuthority,
  "trust-certificate": itsAuthority,
  "skip-tls-verify": itsAuthority,
  "client-certificate":
    "cert.pem and key.pem in the folder that DOCKER_CERT_PATH names, or in the docker context, are shown to it",
};

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there: the engine does not run",
  EACCES: "no permission for the socket: it is for root, or for a group (docker) that this user is not in",
  EPERM: "no permission for the socket: it is for root, or for a group (docker) that this user is not in",
  ECONNRESET: "it closed the connection without an answer",
};
