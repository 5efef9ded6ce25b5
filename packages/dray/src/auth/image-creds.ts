import { isDrayError } from "../errors.ts";
import { parseRepository } from "../oci/index.ts";
import type { Credentials } from "./credentials.ts";
import { readText } from "./docker-config.ts";
import { parseCredentials } from "./parse-credentials.ts";
import { hostKey } from "./server.ts";
import type { Keychain, KeychainTarget } from "./types.ts";

/** Sets of credentials by the image that they are for, as a cluster has them: by its name in full, without tag (`docker.io/library/alpine`). */
export type ImageCreds = ReadonlyMap<string, Credentials>;

/** Which images there are now, and what each may be asked for with. */
export type ImageCredsLookup = () => ImageCreds | Promise<ImageCreds>;

/**
 * Sets of credentials by image. Names may be written as people do (`alpine`); of an image that comes again the sets become one, where the
 * later counts.
 * @throws DrayError `REFERENCE_INVALID` for what is no name of an image
 * @example imageCreds([["alpine", none], ["quay.io/team/app", parseCredentials("secret team/pull", bytes)]])
 */
export const imageCreds = (images: Iterable<readonly [image: string, credentials: Credentials]>): ImageCreds => {
  const found = new Map<string, Credentials>();
  for (const [image, credentials] of images) {
    const name = imageName(parseRepository(image));
    found.set(name, found.get(name)?.merge(credentials) ?? credentials);
  }
  return found;
};

/** The key of a repository among sets of credentials. */
const imageName = ({ registry, repository = "" }: KeychainTarget): string => `${hostKey(registry)}/${repository}`;

/** How defaults are followed. */
export interface ImageCredsDefaultsOptions {
  /** Hears, once for each fault, why a file that was good is good no more. What it said last counts until it is again. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/**
 * Lays a file of credentials below those of each image: where an image has something for the same server, that counts. The file is read again
 * at each look-up, so that what is rotated is seen.
 * @throws DrayError `CONFIG_INVALID` where the file cannot be read or understood at the start
 * @example const lookup = await imageCredsWithDefaults(() => imagesOfCluster(), "/root/.docker/config.json");
 */
export const imageCredsWithDefaults = async (
  lookup: ImageCredsLookup,
  file: string,
  { onWarning }: ImageCredsDefaultsOptions = {},
): Promise<() => Promise<ImageCreds>> => {
  let defaults = parseCredentials(file, await readText(file));
  let warned: string | undefined;
  const refresh = async (): Promise<void> => {
    try {
      defaults = parseCredentials(file, await readText(file));
      warned = undefined;
    } catch (error) {
      if (!isDrayError(error)) throw error;
      if (warned !== error.message) onWarning?.(`${error.message}; going on with what ${file} said before`);
      warned = error.message;
    }
  };
  return async () => {
    await refresh();
    return new Map([...(await lookup())].map(([image, own]) => [image, defaults.merge(own)]));
  };
};

/**
 * A keychain of credentials that are kept by image: whoever asks for one image gets what is kept for that one, and nothing of another's.
 * @example connect("quay.io", { credentials: chain(imageKeychain(lookup), dockerConfig()) })
 */
export const imageKeychain =
  (lookup: ImageCredsLookup): Keychain =>
  async (target, options) => {
    const own = (await lookup()).get(imageName(target));
    if (own !== undefined) return own.keychain(target, options);
    options?.onTried?.("credentials by image", `none for ${imageName(target)}`);
    return undefined;
  };
