import { DrayError, isDrayError } from "../errors.ts";
import { type Descriptor, isEncryptedLayerType, liesElsewhere } from "../oci/index.ts";

/** Refuses a layer whose files only those can see who have its key. @throws DrayError `UNSUPPORTED` */
export const refuseEncrypted = ({ mediaType, digest }: Descriptor): void => {
  if (isEncryptedLayerType(mediaType))
    throw new DrayError(
      "UNSUPPORTED",
      `layer ${digest} is encrypted; decrypt the image first, with a tool that has its key`,
      {
        reference: digest,
      },
    );
};

/** The bytes of a layer. One that lies elsewhere by licence is mostly not there, and nobody has lost it. @throws DrayError `NOT_FOUND` */
export const explained = (chunks: AsyncIterable<Uint8Array>, descriptor: Descriptor): AsyncIterable<Uint8Array> =>
  liesElsewhere(descriptor) ? withReason(chunks, descriptor) : chunks;

async function* withReason(
  chunks: AsyncIterable<Uint8Array>,
  { digest, urls = [] }: Descriptor,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (cause) {
    if (!isDrayError(cause, "NOT_FOUND")) throw cause;
    throw new DrayError(
      "NOT_FOUND",
      `layer ${digest} lies elsewhere by licence, at ${urls[0]}, and is not here; copy the image again from where it is whole, such layers with it`,
      { reference: digest, cause },
    );
  }
}
