import type { Keychain } from "dray/auth";
import type { Digest, Reference } from "dray/oci";

/** An image that runs somewhere, or would by a file. */
export interface RunningImage {
  /** As it was said: `nginx:1.27`. */
  readonly image: string;
  /** Without a tag where only a digest is said. */
  readonly reference: Reference;
  /** What runs, by every digest that a registry knows it under; empty where nobody says more than the name. */
  readonly digests: readonly Digest[];
  /** Where: `compose.yml:3:12`, `container web`, `team/Deployment/web`. */
  readonly places: readonly string[];
  /** Which tag is wanted, where labels say it: what `readPolicy` takes. */
  readonly policy?: Readonly<Record<string, unknown>>;
  /** Labels say that it is to be left alone. */
  readonly isLeftAlone?: true;
  /** The credentials that it was pulled with. */
  readonly credentials?: Keychain;
}

/** Images that are the same in everything but their places, once. */
export const merged = (images: Iterable<RunningImage>): RunningImage[] => {
  const all = new Map<string, RunningImage>();
  const owners = new Map<Keychain, number>();
  for (const each of images) {
    const { image, digests, policy, isLeftAlone, credentials } = each;
    if (credentials !== undefined && !owners.has(credentials)) owners.set(credentials, owners.size);
    const owner = credentials === undefined ? undefined : owners.get(credentials);
    const key = JSON.stringify([image, digests, policy, isLeftAlone, owner]);
    const before = all.get(key);
    all.set(key, before === undefined ? each : { ...before, places: [...before.places, ...each.places] });
  }
  return [...all.values()];
};
