import { isIP } from "node:net";

/**
 * Which addresses lie inside somebody's own network: what a redirect or a token realm on another host may not lead to
 * when the registry itself is a public one. Pure; names are resolved elsewhere.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
const privateRanges = [
  "0.0.0.0/8", // this network, unspecified
  "10.0.0.0/8",
  "100.64.0.0/10", // carrier-grade NAT; also where some clouds keep their metadata service
  "127.0.0.0/8",
  "169.254.0.0/16", // link-local, metadata services
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15", // benchmarks
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, broadcast
  "::/128",
  "::1/128",
  "100::/64", // discard
  "fc00::/7", // unique local
  "fe80::/10", // link-local
  "fec0::/10", // site-local
  "ff00::/8", // multicast
];

/** IPv6 ranges whose addresses carry an IPv4 address, and the byte where it lies. */
const carriers: readonly (readonly [range: string, at: number])[] = [
  ["::ffff:0:0/96", 12], // v4-mapped
  ["::/96", 12], // v4-compatible
  ["64:ff9b::/96", 12], // NAT64
  ["64:ff9b:1::/48", 12], // NAT64, local use
  ["2002::/16", 2], // 6to4
];

/** The tables, read at the first question: most commands ask none, and would pay for it each time they start. */
let tables: { readonly ranges: readonly Cidr[]; readonly carriers: readonly (readonly [Cidr, number])[] } | undefined;
const readTables = (): NonNullable<typeof tables> => {
  tables ??= {
    ranges: privateRanges.map((text) => parseCidr(text) as Cidr),
    carriers: carriers.map(([text, at]) => [parseCidr(text) as Cidr, at]),
  };
  return tables;
};

export interface Cidr {
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/** The 4 or 16 bytes of a literal address; `undefined` if the text is none. Brackets and zones (`fe80::1%eth0`) are allowed. */
export function parseAddress(text: string): Uint8Array | undefined {
  const bare = text.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
  const family = isIP(bare);
  if (family === 4) return Uint8Array.from(bare.split("."), Number);
  return family === 6 ? parseIpv6(bare) : undefined;
}

function parseIpv6(text: string): Uint8Array {
  // A dotted tail stands for the last two groups.
  const plain = text.replace(/\d+\.\d+\.\d+\.\d+$/, (tail) => {
    const [a = 0, b = 0, c = 0, d = 0] = tail.split(".").map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = "", rest] = plain.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":"));
  const [front, back] = [groups(head), groups(rest ?? "")];
  const all = [...front, ...Array<string>(8 - front.length - back.length).fill("0"), ...back];
  return Uint8Array.from(all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]));
}

/** Reads `10.0.0.0/8` or `fd00::/8`; an address alone stands for itself. `undefined` if the text is neither. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = "", suffix, ...more] = text.split("/");
  const bytes = parseAddress(address);
  if (bytes === undefined || more.length > 0) return undefined;
  if (suffix === undefined) return { bytes, bits: bytes.length * 8 };
  const bits = /^\d{1,3}$/.test(suffix) ? Number(suffix) : Number.NaN;
  return bits <= bytes.length * 8 ? { bytes, bits } : undefined;
}

/** Whether an address lies in a range. A v4-mapped address is the IPv4 address it carries. */
export function inCidr(address: Uint8Array, range: Cidr): boolean {
  if (address.length !== range.bytes.length) return false;
  const whole = range.bits >> 3;
  for (let at = 0; at < whole; at++) if (address[at] !== range.bytes[at]) return false;
  const mask = 0xff00 >> (range.bits & 7);
  return (
    (range.bits & 7) === 0 ||
    ((address[whole] as number) & mask & 255) === ((range.bytes[whole] as number) & mask & 255)
  );
}

/** The IPv4 address inside a v4-mapped, NAT64 or 6to4 one; any other address as it is. */
const unwrapped = (address: Uint8Array): Uint8Array => {
  const carrier = readTables().carriers.find(([range]) => inCidr(address, range));
  return carrier === undefined ? address : address.subarray(carrier[1], carrier[1] + 4);
};

/** Whether a literal address is private, loopback, link-local, unspecified, carrier-grade NAT or multicast. No address is not private. */
export const isPrivateAddress = (text: string): boolean => {
  const address = parseAddress(text);
  if (address === undefined) return false;
  const inner = unwrapped(address);
  return readTables().ranges.some((range) => inCidr(address, range) || inCidr(inner, range));
};

/** Addresses to which no registry has a reason to lead, not even one on a private network: cloud metadata services live there. */
const metadata = ["0.0.0.0", "169.254.0.0/16", "::", "fe80::/10", "fd00:ec2::254"];

/** Whether a literal address is one where metadata services are: link-local, or unspecified. */
export const isMetadataAddress = (text: string): boolean => isAllowed(metadata, text, text);

/** Whether a name stands for this machine, whoever looks it up. */
export const isLocalName = (host: string): boolean => /^(?:.+\.)?localhost\.?$/i.test(host);

/**
 * Whether `allowed` (hosts, `*.suffix`, addresses, CIDRs) opens an address or the host it was found under.
 * @example isAllowed(["10.1.0.0/16", "*.corp.example"], "storage.corp.example", "10.9.0.1") // true
 */
export const isAllowed = (allowed: readonly string[], host: string, address: string): boolean => {
  const bytes = parseAddress(address);
  const name = host.toLowerCase();
  return allowed.some((entry) => {
    const range = parseCidr(entry);
    if (range !== undefined) return bytes !== undefined && (inCidr(bytes, range) || inCidr(unwrapped(bytes), range));
    const rule = entry.toLowerCase();
    return rule.startsWith("*.") ? name.endsWith(rule.slice(1)) : name === rule;
  });
};
