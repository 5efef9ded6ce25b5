import { lstat, readFile, stat } from "node:fs/promises";
import { connect } from "node:net";
import { textOf } from "@dray/service/config";
import { bind, type ListenAddress } from "@dray/service/http-server";
import { authorityFaults, type SomeTlsFiles, tlsFaults, validityFault } from "@dray/service/program";
import { emptyBody } from "@dray/service/response";
import { printable } from "dray/errors";
import { errnoOf } from "dray/internal/files";
import type { UsableSettings } from "../config/index.ts";
import { couldWrite } from "./could-write.ts";
import type { Findings, Tell } from "./findings.ts";

/** What would keep a registry from listening, or its clients from coming: addresses, certificates, keys. */
export const lookAtListening = async (
  { address, tls, debug }: UsableSettings,
  tell: Tell,
  now: number,
): Promise<void> => {
  if (tls !== undefined) await lookAtTls(tls, tell, now);
  if (address !== undefined) await lookAtAddress(address, (kind, error) => tell(kind, "http.addr", error));
  if (debug === undefined) return;
  if ("host" in debug.address && ["::", "0.0.0.0"].includes(debug.address.host))
    tell(
      "warnings",
      "http.debug.addr",
      `listens on every interface and asks nobody for a password: whoever reaches it may take the registry out of service; write 127.0.0.1:${debug.address.port}, or see that a firewall keeps others away`,
    );
  await lookAtAddress(debug.address, (kind, error) => tell(kind, "http.debug.addr", error));
};

const keys = { certificate: "http.tls.certificate", key: "http.tls.key", clientCas: "http.tls.clientcas" } as const;

const lookAtTls = async (tls: SomeTlsFiles, tell: Tell, now: number): Promise<void> => {
  const { certificate, key, clientCas } = tls;
  const faults = await tlsFaults(tls);
  for (const { file, error } of faults) tell("complaints", keys[file], error);
  const isWhole = (file: keyof typeof keys): boolean => !faults.some((fault) => fault.file === file);
  const warn = (file: keyof typeof keys, why: string): void => tell("warnings", keys[file], why);
  if (certificate !== undefined && isWhole("certificate")) {
    const fault = validityFault(textOf(await readFile(certificate)), now);
    if (fault !== undefined) warn("certificate", fault);
  }
  if (isWhole("clientCas"))
    for (const path of clientCas)
      for (const fault of authorityFaults(textOf(await readFile(path)), now))
        warn("clientCas", `${printable(path)}: ${fault}`);
  if (key !== undefined && isWhole("key") && ((await stat(key)).mode & 0o006) !== 0)
    warn(
      "key",
      `${printable(key)} is open to every user of this machine, and who has the key is the registry; chmod 600, or 640 and the service's group`,
    );
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
