import dns, { type LookupAddress, type LookupOptions } from "node:dns";
import type { LookupFunction } from "node:net";
import { DrayError } from "../errors.ts";
import { isAllowed, isLocalName, isMetadataAddress, isPrivateAddress, parseAddress } from "./addresses.ts";

/** Every address of a name; `dns.promises.lookup` where nothing else is given. */
export type ResolveHost = (host: string, options: LookupOptions & { all: true }) => Promise<LookupAddress[]>;

export interface AddressGuardOptions {
  /** Host of the registry, without port. Without one there is no other host, and nothing is refused. */
  readonly registry?: string | undefined;
  /** Hosts, `*.suffix`, addresses and CIDRs that are open all the same. */
  readonly allowPrivate: readonly string[];
  readonly resolve?: ResolveHost | undefined;
}

/**
 * Keeps a public registry from leading us into our own network: by a redirect, a token realm, a foreign layer. Private addresses of other hosts are
 * refused where the registry itself has, or ever had, a public one, and are no addresses of its own then; those of metadata services always. Names are checked as they are looked up for a connection, so the address that was checked
 * is the one connected to; behind a proxy, which looks names up itself, only literal addresses are.
 */
export interface AddressGuard {
  /** For the options of a connection. */
  readonly lookup: LookupFunction;
  /** Checks a host before anything is sent. @throws DrayError `ADDRESS_REFUSED` */
  readonly check: (host: string, options: { proxied: boolean }) => Promise<void>;
  /** Whether this host is another than the registry's. */
  readonly isForeign: (host: string) => boolean;
}

const resolveHost: ResolveHost = (host, options) => dns.promises.lookup(host, options);

export const addressGuard = ({ registry, allowPrivate, resolve = resolveHost }: AddressGuardOptions): AddressGuard => {
  const home = registry?.toLowerCase();
  const isForeign = (host: string) => home !== undefined && host.toLowerCase() !== home;
  /** One public address is enough, and once is for good: whoever owns the name may have it answer otherwise the next time. */
  let everPublic = false;
  let publicHome: Promise<boolean> | undefined;
  const note = (addresses: readonly LookupAddress[]): boolean => {
    everPublic ||= addresses.some(({ address }) => !isPrivateAddress(address));
    return everPublic;
  };

  /** What is not known counts as public: a name behind a proxy, or one that cannot be looked up. */
  const homeIsPublic = (): Promise<boolean> => {
    if (everPublic) return Promise.resolve(true);
    publicHome ??= (async () => {
      if (home === undefined) return false;
      if (parseAddress(home) !== undefined) return !isPrivateAddress(home);
      const addresses = await resolve(home, { all: true }).catch(() => []);
      return addresses.length === 0 || note(addresses);
    })();
    return publicHome;
  };

  const isOpen = (host: string, address: string): boolean =>
    !isPrivateAddress(address) || isAllowed(allowPrivate, host, address);

  const allowed = async (host: string, addresses: readonly LookupAddress[]): Promise<LookupAddress[]> => {
    const foreign = isForeign(host);
    if (!foreign) publicHome = Promise.resolve(note(addresses));
    const visitable = addresses.filter(
      ({ address }) => !foreign || !isMetadataAddress(address) || isAllowed(allowPrivate, host, address),
    );
    const open = visitable.filter(({ address }) => isOpen(host, address));
    if (open.length === addresses.length) return open;
    const remaining = (await homeIsPublic()) ? open : visitable;
    if (remaining.length === 0 && addresses.length > 0) throw refused(host, addresses[0]?.address ?? host, home);
    return remaining;
  };

  return {
    isForeign,
    lookup: (host, options, callback) => {
      resolve(host, { ...options, all: true })
        .then((addresses) => allowed(host, addresses))
        .then(
          (addresses) => {
            const [first] = addresses;
            if (options.all) callback(null, addresses);
            else callback(null, first?.address ?? "", first?.family ?? 4);
          },
          (error: NodeJS.ErrnoException) => callback(error, []),
        );
    },
    check: async (host, { proxied }) => {
      if (!isForeign(host)) return;
      // A proxy would look this name up on its own machine.
      const address = proxied && isLocalName(host) ? "127.0.0.1" : host;
      if (isOpen(host, address)) return;
      if (isMetadataAddress(address) || (await homeIsPublic())) throw refused(host, host, home);
    },
  };
};

const refused = (host: string, address: string, registry: string | undefined): DrayError => {
  const named = host === address ? host : `${host} (${address})`;
  const what = isMetadataAddress(address) ? "a link-local address, where metadata services are" : "a private address";
  const message =
    host === registry
      ? `${named} is ${what}, and was a public host before`
      : `${registry} leads to ${named}, ${what}${isMetadataAddress(address) ? "" : ", and is itself a public host"}`;
  return new DrayError("ADDRESS_REFUSED", message, { host, registry, remedy: "allow-private" });
};
