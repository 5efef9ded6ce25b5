import { type Policy, readPolicy } from "@dray/policy";
import type { Keychain } from "dray/auth";
import { errorIn, isDrayError, throwIfAborted } from "dray/errors";
import { LazyMap, mapOrdered } from "dray/internal/async";
import type { Reference } from "dray/oci";
import type { RunningImage } from "../running/index.ts";
import { AskedOnce, type AskedRepository } from "./asked-repository.ts";
import { lookAt } from "./look-at.ts";
import type { OutdatedImage } from "./outdated-image.ts";

/** How it is found out what is newer. */
export interface OutdatedOptions {
  /** The repository of an image, with the credentials of whatever runs it, if it has some. Asked once for both. */
  readonly repositoryOf: (image: Reference, credentials: Keychain | undefined) => AskedRepository;
  /** For images whose labels say nothing. Default: the newest version of the same flavour. */
  readonly policy?: Policy | undefined;
  /** Milliseconds since 1970. Default: the clock. */
  readonly now?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Images that are asked about at the same time. */
const atOnce = 8;

/**
 * Finds out which images are outdated, in their order. Each repository has its tags listed once, however many images are of it, and none where the tag is no version:
 * `latest` is compared by its digest, and the newest version with the same digest is told as its meaning. What has the digest that runs is never an
 * update. An image that cannot be found out about is `unknown`, with the reason, and takes nothing from the others.
 * @throws DrayError `ABORTED`
 * @example
 * const registry = connect("docker.io");
 * const images = runningInFiles(await Array.fromAsync(filesBelow(["."])));
 * for await (const { image, state, newest } of outdatedImages(images, { repositoryOf: ({ repository }) => registry.repository(repository) }))
 *   console.log(image.image, state, newest?.tag);
 */
export const outdatedImages = async function* (
  images: Iterable<RunningImage>,
  options: OutdatedOptions,
): AsyncGenerator<OutdatedImage> {
  const { repositoryOf, now = Date.now(), signal } = options;
  const policy = options.policy ?? (await readPolicy({}));
  const policies = new LazyMap<string, Policy>();
  const repositories = new Map<Keychain | undefined, Map<string, AskedOnce>>();
  const repositoryFor = ({ reference, credentials }: RunningImage): AskedOnce => {
    const among = repositories.get(credentials) ?? new Map<string, AskedOnce>();
    repositories.set(credentials, among);
    const name = `${reference.registry}/${reference.repository}`;
    const known = among.get(name) ?? new AskedOnce(repositoryOf(reference, credentials), signal);
    among.set(name, known);
    return known;
  };
  yield* mapOrdered(images, atOnce, async (image): Promise<OutdatedImage> => {
    throwIfAborted(signal);
    const { tag } = image.reference;
    const running = tag === undefined ? {} : { tag };
    if (image.isLeftAlone) return { image, state: "left-alone", running };
    try {
      const said = image.policy;
      const own = said === undefined ? policy : await policies.get(JSON.stringify(said), () => labelled(image));
      return await lookAt(image, { repository: repositoryFor(image), policy: own, now, signal });
    } catch (error) {
      throwIfAborted(signal);
      if (!isDrayError(error)) throw error;
      return { image, state: "unknown", running, reason: error.message };
    }
  });
};

const labelled = async ({ policy, places: [place = ""] }: RunningImage): Promise<Policy> => {
  try {
    return await readPolicy(policy);
  } catch (error) {
    throw errorIn(`the labels of ${place}`, error);
  }
};
