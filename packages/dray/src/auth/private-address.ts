import { BlockList, isIP } from "node:net";

/** Parts of the address space that are nobody's on the public network: private, shared, loopback, link-local, unspecified, multicast. */
const ranges = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "224.0.0.0/3",
  "::/127",
  "fc00::/7",
  "fe80::/10",
  "ff00::/8",
];

/** Those that no registry has a reason to name, not even one on a private network: cloud metadata services live there. */
const neverRanges = ["0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/128", "fe80::/10", "ff00::/8"];

/** Whether a host is a literal private address or a name of this machine. Names are not looked up here. */
export const isPrivateHost = (host: string): boolean => isLocalName(host) || within(privateList, host);

/** Whether a host is a literal address of the kind that cloud metadata services have. */
export const isLinkLocalHost = (host: string): boolean => within(neverList, host);

/** Whether a host is this machine. */
export const isLoopbackHost = (host: string): boolean => isLocalName(host) || within(loopbackList, host);

/** Whether a host is among names, addresses and CIDRs. */
export const isListedHost = (list: readonly string[], host: string): boolean =>
  list.some((entry) => bare(entry) === bare(host)) ||
  within(blockList(list.filter((entry) => entry.includes("/"))), host);

const blockList = (cidrs: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = "", bits] = cidr.split("/");
    const family = isIP(address);
    if (family !== 0) list.addSubnet(address, Number(bits), family === 4 ? "ipv4" : "ipv6");
  }
  return list;
};
const privateList = blockList(ranges);
const neverList = blockList(neverRanges);
const loopbackList = blockList(["127.0.0.0/8", "::1/128"]);

const isLocalName = (host: string): boolean => /^(?:.+\.)?localhost$/.test(bare(host));

const within = (list: BlockList, host: string): boolean => {
  const address = bare(host);
  const family = isIP(address);
  if (family === 4) return list.check(address, "ipv4");
  if (family !== 6) return false;
  const embedded = embeddedAddress(address);
  return list.check(address, "ipv6") || (embedded !== undefined && list.check(embedded, "ipv4"));
};

/** The IPv4 address inside an IPv6 one as a URL writes it: mapped (`::ffff:7f00:1`) or translated (`64:ff9b::7f00:1`). */
const embeddedAddress = (address: string): string | undefined => {
  const match = /^(?:::ffff:(?:0:)?|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address);
  if (match === null) return undefined;
  const [high, low] = [Number.parseInt(match[1] ?? "", 16), Number.parseInt(match[2] ?? "", 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
};

/** Lower case, without brackets, a port is not expected, nor the dot that ends a full name. */
const bare = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
