import { lookup } from "node:dns/promises";
import { connect, isIP } from "node:net";
import { DrayError } from "dray/errors";
import type { Finding } from "./finding.ts";

/** Milliseconds for one look at an address. */
const patience = 5_000;

/** The addresses of a host. @throws DrayError `NETWORK` */
export const addressesOf = async (host: string): Promise<readonly string[]> => {
  if (isIP(host) !== 0) return [host];
  try {
    const found = await lookup(host, { all: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch (cause) {
    const { code = "" } = cause as NodeJS.ErrnoException;
    const why = code === "EAI_AGAIN" ? "the resolver does not answer" : "no such host";
    throw new DrayError("NETWORK", `${host}: ${why} (${code})`, { cause });
  }
};

/** Whether somebody listens at an address, and after how many milliseconds that is known. */
export interface Reachability {
  readonly address: string;
  readonly milliseconds: number;
  readonly why?: string;
}

/** Knocks at each address, side by side. */
export const reachabilityOf = (addresses: readonly string[], port: number): Promise<readonly Reachability[]> =>
  Promise.all(addresses.map((address) => knock(address, port)));

const knock = (address: string, port: number): Promise<Reachability> =>
  new Promise((resolve) => {
    const began = performance.now();
    const socket = connect({ host: address, port, timeout: patience });
    const say = (why?: string): void => {
      socket.destroy();
      const milliseconds = Math.round(performance.now() - began);
      resolve({ address, milliseconds, ...(why === undefined ? {} : { why }) });
    };
    socket.once("connect", () => say());
    socket.once("timeout", () => say(`silent for ${patience / 1000} s`));
    socket.once("error", (error: NodeJS.ErrnoException) => say(error.code ?? error.message));
  });

/** One line for each kind of address. One that does not work is a warning where the other does. */
export const reachedFindings = (reached: readonly Reachability[], port: number): readonly Finding[] => {
  const works = reached.some(({ why }) => why === undefined);
  return [4, 6].flatMap((kind): Finding[] => {
    const own = reached.filter(({ address }) => isIP(address) === kind);
    if (own.length === 0) return [];
    const inWords = own.map(({ address, milliseconds, why }) =>
      why === undefined ? `${address} answers in ${milliseconds} ms` : `${address}: ${why}`,
    );
    const said = `IPv${kind}, port ${port}: ${inWords.join(", ")}`;
    const fails = own.every(({ why }) => why !== undefined);
    if (!fails) return [{ check: "address", outcome: "ok", said }];
    const remedy = works
      ? `IPv${kind} does not lead there; others are tried first where it is slow: mend its route, or take the address out of DNS`
      : "check the port, that the registry runs, and firewalls on the way";
    return [{ check: "address", outcome: works ? "warning" : "failed", said, remedy }];
  });
};
