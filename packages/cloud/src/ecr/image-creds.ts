import { Credentials, type ImageCreds, type ImageCredsLookup } from "dray/auth";
import { Lazy } from "dray/internal/async";
import { faultIn, within } from "../asking/index.ts";
import { type EcrRegistry, ecrRegistry } from "../hosts.ts";
import { ecr } from "./ecr.ts";
import type { EcrOptions } from "./options.ts";

/** The accounts from which Amazon gives out the images of EKS itself, which nobody else may look through. */
export const eksAccounts: readonly string[] = ["602401143452", "918309763551"];

/** Which images at Amazon are looked at. */
export interface AwsAuthOptions extends EcrOptions {
  /** Regions whose images count. Default: the one that we are in, by Amazon's configuration or by the machine's metadata. */
  readonly regions?: readonly string[] | undefined;
  /** Accounts whose images count. Default: all. */
  readonly accountIDs?: readonly string[] | undefined;
  /** Accounts whose images never count. Default: `eksAccounts`. */
  readonly blockIDs?: readonly string[] | undefined;
  /** Hears of each image that is left out, and why: once, as long as that stays so. */
  readonly onLeftOut?: ((image: string, why: string) => void) | undefined;
}

/** A look-up with Amazon's credentials, and what tells beforehand whether it will find any. */
export interface ImageCredsWithAwsAuth {
  /**
   * The images that are left, with a credential of Amazon's below what each has of its own. What cannot be had is left out of one image alone, and
   * said to `onWarning`.
   */
  readonly lookup: () => Promise<ImageCreds>;
  /**
   * The regions whose images count. Where they are given they are believed.
   * @throws DrayError `NOT_FOUND` where none is given and none can be found: then every image at Amazon is left out
   */
  readonly preflight: () => Promise<readonly string[]>;
}

const looksLikeAmazon = /\.amazonaws\.com(?:\.cn)?$/;
/** Milliseconds for which a region that could not be found is not looked for again. */
const leftAlone = 60_000;
const patience = 15_000;

/**
 * Lays credentials of Amazon ECR below those of each image, and leaves out what may not be looked at: images of other regions, of accounts that are
 * not among those that count, and of those that never do. What lies at other registries passes as it is, and so does what is called like Amazon and is no
 * registry of theirs. Each account has one token for all of its images in a region, which is renewed in time (`ecr`).
 * @example
 * const { lookup, preflight } = imageCredsWithAwsAuth(imagesOfCluster, { regions: ["eu-west-1"], onLeftOut: console.log });
 * await preflight();
 * const credentials = chain(imageKeychain(lookup), dockerConfig());
 */
export const imageCredsWithAwsAuth = (
  images: ImageCredsLookup,
  options: AwsAuthOptions = {},
): ImageCredsWithAwsAuth => {
  const { timeout = patience, now = Date.now, accountIDs, blockIDs = eksAccounts, onLeftOut, onWarning } = options;
  const keychain = ecr(options);
  const found = new Lazy<readonly string[]>();
  let failedAt: number | undefined;
  const warned = new Set<string>();
  const warn = (message: string): void => {
    if (!warned.has(message)) onWarning?.(message);
    warned.add(message);
  };
  let told = new Map<string, string>();

  const detected = async (): Promise<readonly string[]> => {
    const never = new AbortController().signal;
    const region = await within(timeout, never, async (signal) =>
      (await import("./region.ts")).regionHere(options.profile, signal),
    );
    return [region];
  };
  const regions = (): Promise<readonly string[]> => found.get(async () => options.regions ?? (await detected()));

  /** Those of the images that count; none where nobody knows. */
  const regionsIfKnown = async (): Promise<readonly string[]> => {
    if (failedAt !== undefined && Math.abs(now() - failedAt) < leftAlone) return [];
    try {
      const known = await regions();
      failedAt = undefined;
      return known;
    } catch (error) {
      failedAt = now();
      warn(`ecr: ${faultIn(error)}; images at Amazon are left out`);
      return [];
    }
  };

  const whyLeftOut = ({ account, region }: EcrRegistry, known: readonly string[]): string | undefined => {
    if (known.length === 0) return "no region is known whose images count";
    if (!known.includes(region)) return `it lies in ${region}, and images of ${known.join(", ")} count`;
    if (blockIDs.includes(account)) return `the account ${account} is one of those that never count`;
    if (accountIDs !== undefined && !accountIDs.includes(account))
      return `the account ${account} is none of those that count`;
    return undefined;
  };

  const lookup = async (): Promise<ImageCreds> => {
    const all = [...(await images())];
    const placed = all.map(([image, own]) => {
      const registry = image.slice(0, image.indexOf("/"));
      return { image, own, registry, place: ecrRegistry(registry) };
    });
    const known = placed.some(({ place }) => place !== undefined) ? await regionsIfKnown() : [];
    const leftOut = new Map<string, string>();
    const kept: (readonly [string, Credentials])[] = await Promise.all(
      placed.map(async ({ image, own, registry, place }) => {
        if (place === undefined) {
          if (looksLikeAmazon.test(registry))
            warn(
              `ecr: ${registry} is no registry of Amazon's, whose names are ACCOUNT.dkr.ecr.REGION.amazonaws.com; its images pass as they are`,
            );
          return [image, own] as const;
        }
        const why = whyLeftOut(place, known);
        if (why !== undefined) leftOut.set(image, why);
        const credential = why === undefined ? await keychain({ registry }) : undefined;
        return [image, credential === undefined ? own : new Credentials([[registry, credential]]).merge(own)] as const;
      }),
    );
    for (const [image, why] of leftOut) if (told.get(image) !== why) onLeftOut?.(image, why);
    told = leftOut;
    return new Map(kept.filter(([image]) => !leftOut.has(image)));
  };
  return { lookup, preflight: async () => regions() };
};
