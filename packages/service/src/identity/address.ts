import { isIPv4, isIPv6 } from "node:net";

/**
 * Where somebody asks from, to count their wrong passwords by: the address without the port; of IPv6 the network of 64 bits, since
 * whoever has one address there has all of them.
 */
export const addressOf = (peer: string | undefined): string => {
  if (peer === undefined) return "";
  const host = /^\[(.*)\](?::\d+)?$/.exec(peer)?.[1] ?? (isIPv6(peer) ? peer : peer.replace(/:\d+$/, ""));
  const address = host.replace(/%.*$/, "");
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  return isIPv6(address) ? networkOf(address) : address;
};

const networkOf = (address: string): string => {
  const [before = "", after] = address.toLowerCase().split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const [left, right] = [groups(before), groups(after ?? "")];
  const zeros = after === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(Math.max(0, zeros)).fill("0"), ...right]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":");
};

/**
 * The network that a place of `addressOf` lies in, of which one client often has all: 48 bits of IPv6, which hold 65,536 places, and 24 of
 * IPv4. Of anything else itself.
 */
export const networkAround = (place: string): string => {
  if (isIPv4(place)) return place.slice(0, place.lastIndexOf("."));
  return /^[0-9a-f]{1,4}(:[0-9a-f]{1,4}){3}$/.test(place) ? place.slice(0, place.lastIndexOf(":")) : place;
};
