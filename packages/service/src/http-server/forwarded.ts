import type { IncomingMessage } from "node:http";
import { BlockList, isIP, type Socket } from "node:net";
import { DrayError } from "dray/errors";

/** Proxies whose word about their clients counts. */
export interface Proxies {
  readonly addresses: BlockList;
  /** Whether those who come by a unix socket count. */
  readonly unix: boolean;
}

/** `10.0.0.0/8`, `::1`, `unix`. */
export const proxiesOf = (list: readonly string[]): Proxies | undefined => {
  if (list.length === 0) return undefined;
  const addresses = new BlockList();
  for (const entry of list) {
    if (entry === "unix") continue;
    const [address = "", bits, ...more] = entry.split("/");
    const family = isIP(address);
    const width = family === 6 ? 128 : 32;
    const prefix = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
    if (family === 0 || more.length > 0 || !(prefix <= width))
      throw new DrayError("CONFIG_INVALID", `trusted proxy "${entry}" is no address and no CIDR such as 10.0.0.0/8`);
    addresses.addSubnet(address, prefix, family === 6 ? "ipv6" : "ipv4");
  }
  return { addresses, unix: list.includes("unix") };
};

const trusts = (proxies: Proxies, address: string | undefined): boolean => {
  if (address === undefined) return proxies.unix;
  const family = isIP(address);
  return family !== 0 && proxies.addresses.check(address, family === 6 ? "ipv6" : "ipv4");
};

/** An IPv4 address stays one on a socket that takes both kinds. */
const plain = (address: string | undefined): string | undefined =>
  address?.startsWith("::ffff:") === true && isIP(address.slice(7)) === 4 ? address.slice(7) : address;

/** Every value of a header as one list, as RFC 9110 §5.3 joins them. `headers` of node:http keeps only the first of some. */
const list = (message: IncomingMessage, name: string): string[] => {
  const { rawHeaders } = message;
  const values: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]?.toLowerCase() === name)
      for (const value of (rawHeaders[i + 1] ?? "").split(",")) values.push(value.trim());
  return values.filter((value) => value !== "");
};

/** What proxies said of the client they serve, the nearest to us last. */
interface Said {
  readonly hops: readonly string[];
  readonly proto: string | undefined;
  readonly host: string | undefined;
}

/**
 * `X-Forwarded-*` where there is any, else `Forwarded` (RFC 7239). A proxy that sets the one kind lets the other pass as its client
 * wrote it, and nearly all set `X-Forwarded-*`.
 */
const saidTo = (message: IncomingMessage, proxies: Proxies): Said => {
  const [proto] = list(message, "x-forwarded-proto");
  const [host] = list(message, "x-forwarded-host");
  const hops = list(message, "x-forwarded-for").map(bare);
  if (hops.length > 0 || proto !== undefined || host !== undefined) return { hops, proto, host };
  const elements = list(message, "forwarded").map(
    (element) =>
      new Map(
        [...element.matchAll(/([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"([^"]*)"|([^;\s]*))/g)].map(
          ([, name = "", quoted, token = ""]) => [name.toLowerCase(), quoted ?? token],
        ),
      ),
  );
  const clients = elements.map((element) => bare(element.get("for") ?? ""));
  // The element of the outermost proxy that is trusted: the next one to the left is its client's word.
  let outermost = elements.length - 1;
  while (outermost > 0 && trusts(proxies, clients[outermost])) outermost--;
  const element = elements[outermost];
  return { hops: clients, proto: element?.get("proto"), host: element?.get("host") };
};

/** Strangers that are told of: whoever likes may write such headers, from as many addresses as they have. */
const mostTold = 16;

/** Addresses that say whom they speak for, though nobody trusts them: probably a proxy that was never named. Each is told of once. */
export class Strangers {
  readonly #told = new Set<string>();
  readonly #tell: (address: string) => void;

  constructor(tell: (address: string) => void) {
    this.#tell = tell;
  }

  look(address: string, message: IncomingMessage): void {
    if (this.#told.size >= mostTold || this.#told.has(address)) return;
    if (!["x-forwarded-for", "forwarded"].some((name) => list(message, name).length > 0)) return;
    this.#told.add(address);
    this.#tell(address);
  }
}

/** Without brackets and port. */
const bare = (hop: string): string => plain(hop.replace(/^\[([^\]]*)\](?::\d+)?$|^([0-9.]+):\d+$/, "$1$2")) ?? hop;

const authority = /^[A-Za-z0-9._~-]+(?::\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](?::\d{1,5})?$/;

/** Who is at the other end of a connection: the same for all of its requests. */
export interface End {
  /** Address and port; `unix` of a unix socket. */
  readonly peer: string;
  /** The proxies of which it is one: what it says of its clients counts. */
  readonly proxies: Proxies | undefined;
}

/** By the first request of the connection. */
export const endOf = (
  message: IncomingMessage,
  { proxies, strangers }: { readonly proxies: Proxies | undefined; readonly strangers: Strangers },
): End => {
  const address = plain(message.socket.remoteAddress);
  const isProxy = proxies !== undefined && trusts(proxies, address);
  if (!isProxy) strangers.look(address ?? "unix", message);
  return { peer: addressOfSocket(message.socket), proxies: isProxy ? proxies : undefined };
};

/** Scheme and host as a client of trusted proxies sees them. What they do not say is as it is here. */
export const forwardedOrigin = (message: IncomingMessage, proxies: Proxies, here: Origin): string => {
  const { proto, host } = saidTo(message, proxies);
  const scheme = proto === "http" || proto === "https" ? proto : here.scheme;
  return `${scheme}://${host !== undefined && authority.test(host) ? host : here.host}`;
};

interface Origin {
  readonly scheme: "http" | "https";
  readonly host: string;
}

/** The address of the client that trusted proxies speak for, where they say one. */
export const forwardedFor = (message: IncomingMessage, proxies: Proxies): string | undefined => {
  // From the right: each proxy appends whom it saw, and what lies beyond the first stranger is only his word.
  for (const hop of saidTo(message, proxies).hops.toReversed()) {
    if (isIP(hop) === 0) return undefined;
    if (!trusts(proxies, hop)) return hop;
  }
  return undefined;
};

/** Address and port of who is at the other end; `unix` of a unix socket. */
export const addressOfSocket = ({ remoteAddress, remotePort }: Socket): string => {
  const address = plain(remoteAddress);
  if (address === undefined) return "unix";
  return address.includes(":") ? `[${address}]:${remotePort}` : `${address}:${remotePort}`;
};
