import { Semaphore } from "../async/index.ts";
import {
  bottomOf,
  composesManifests,
  detach,
  type Ingests,
  isTransferring,
  type ReadableStore,
} from "../content/index.ts";
import { defined } from "../defined.ts";
import { type Descriptor, type Digest, digester } from "../oci/index.ts";
import { type CompressOptions, compressLayer, type PushedLayer, pushForm } from "./push-form.ts";
import { viewOf } from "./views.ts";

/** Layers that are compressed at once: one of them keeps all cores busy but at its ends. */
const atOnce = 2;

/** Hashes what it is given and keeps nothing. */
const nowhere: Ingests = {
  ingest: async (content, { mediaType, algorithm = "sha256", signal }) => {
    const hash = digester(algorithm);
    let size = 0;
    for await (const chunk of content.open(defined({ signal }))) {
      hash.update(chunk);
      size += chunk.byteLength;
      if (isTransferring(content)) detach(chunk);
    }
    return { mediaType, digest: hash.digest(), size };
  },
};

/**
 * What an image is once it is pushed: the root that `copy` gives it in a registry, its uncompressed layers as gzip. They are compressed to be
 * hashed and kept nowhere, which takes as long as a push without its network. Of a store that has manifests of its own nothing is changed.
 * @throws DrayError `UNSUPPORTED` where there is no WebAssembly, as with `node --jitless`
 * @example
 * const archive = await open("docker-archive:image.tar");
 * const { digest } = await pushedRoot(archive.store, await archive.store.resolve(archive.name));
 */
export const pushedRoot = async (
  source: ReadableStore,
  root: Descriptor,
  { signal, estargz }: Pick<CompressOptions, "signal" | "estargz"> = {},
): Promise<Descriptor> => {
  if (!composesManifests(bottomOf(source))) return root;
  const slots = new Semaphore(atOnce);
  const made = new Map<Digest, Promise<PushedLayer>>();
  const compress = (layer: Descriptor): Promise<PushedLayer> => {
    const begun = made.get(layer.digest);
    if (begun !== undefined) return begun;
    const begins = slots.run(signal, () => compressLayer(source, nowhere, layer, defined({ signal, estargz })));
    made.set(layer.digest, begins);
    return begins;
  };
  return (await pushForm(await viewOf(source, root, defined({ signal })), compress, defined({ signal }))).root;
};
