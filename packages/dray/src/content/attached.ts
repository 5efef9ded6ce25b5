import { isDrayError, throwIfAborted } from "../errors.ts";
import { algorithmOf, type Descriptor, hexOf } from "../oci/index.ts";
import { hasReferrers } from "./capabilities.ts";
import type { Cancel, ReadableStore } from "./store.ts";

/** Something that says something about content, and the name it goes by where it is found by name. */
export interface Attached {
  readonly descriptor: Descriptor;
  readonly name?: string;
}

/** cosign's names for a signature, an attestation and an SBOM of `sha256:abc`: `sha256-abc.sig` and so on. */
const tagSuffixes = ["sig", "att", "sbom"] as const;

/**
 * What is attached to a manifest: its referrers, and signatures under the tag scheme that older tools use.
 * @throws DrayError the first fault, when all that could be found has been given out
 */
export async function* attachedTo(
  source: ReadableStore,
  subject: Descriptor,
  options: Cancel = {},
): AsyncGenerator<Attached> {
  let fault: unknown;
  try {
    if (hasReferrers(source)) for await (const descriptor of source.referrers(subject, options)) yield { descriptor };
  } catch (error) {
    throwIfAborted(options.signal);
    fault = error;
  }
  for (const suffix of tagSuffixes) {
    const name = `${algorithmOf(subject.digest)}-${hexOf(subject.digest)}.${suffix}`;
    try {
      yield { descriptor: await source.resolve(name, options), name };
    } catch (error) {
      throwIfAborted(options.signal);
      if (!isDrayError(error, "NOT_FOUND")) fault ??= error;
    }
  }
  if (fault !== undefined) throw fault as Error;
}
