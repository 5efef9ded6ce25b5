import {
  type ComesInOrder,
  type ComingBlob,
  type Content,
  checked,
  comesInOrder,
  type Ingests,
  ingests,
  keepsLayers,
  type Located,
  meteredContent,
  plans,
  type ReadableStore,
  transfersAs,
  type WritableStore,
} from "../content/index.ts";
import { defined } from "../defined.ts";
import { digesterFor } from "../hash/index.ts";
import { type Descriptor, type Digest, digestOf } from "../oci/index.ts";
import type { Blobs } from "./blobs.ts";
import type { Run } from "./run.ts";

/** From where to where. */
interface Pair {
  readonly source: Located<ReadableStore>;
  readonly target: Located<WritableStore>;
}

/** What a copy has for its pieces. */
interface Copying {
  readonly run: Run;
  readonly blobs: Blobs;
}

/**
 * Brings what comes as one stream into the targets, in the order in which it comes. Everything that goes from one such store into one target comes in
 * one stream. A target that has to know all sizes first gets it from a temporary file.
 * @returns for each such pair its source as others are: what names the content is there to be read, and the content lies in the target
 */
export const takeInOrder = async <P extends Pair>(
  copying: Copying,
  pairs: readonly P[],
): Promise<ReadonlyMap<P, Promise<Located<ReadableStore>>>> => {
  const sources = new Map<P, Promise<Located<ReadableStore>>>();
  const streamed = pairs.filter(({ source }) => comesInOrder(source.store));
  for (const { source, target } of streamed) {
    const same = streamed.filter((other) => other.source.store === source.store && other.target.store === target.store);
    if (same.some((pair) => sources.has(pair))) continue;
    const names = [...new Set(same.map((pair) => pair.source.name))];
    const coming = brought(copying, source.store as ReadableStore & ComesInOrder, names, target.store);
    for (const pair of same) {
      const source = coming.then((store) => ({ ...pair.source, store }));
      // Heard by whoever copies it.
      source.catch(() => {});
      sources.set(pair, source);
    }
    // One stream at a time, since its bodies have no slots of their own.
    await coming.catch(() => {});
    copying.run.throwIfCancelled();
  }
  return sources;
};

const brought = async (
  { run, blobs }: Copying,
  source: ReadableStore & ComesInOrder,
  names: readonly string[],
  target: WritableStore,
): Promise<ReadableStore> => {
  const { options, signal, emit } = run;
  if (options.dryRun === true) return source.inOrder(names, async () => {}, { signal });
  if (!ingests(target) || plans(target)) return source.atHand(names, { signal, onEvent: emit });
  const isPushed = options.layers !== "as-is" && !keepsLayers(target);
  return source.inOrder(
    names,
    async (blob) => {
      if (isPushed && blob.composed && blob.compression === "none") return compress(run, blobs, blob, target);
      const { digest } = blob;
      if (digest !== undefined && blob.size !== undefined)
        return blobs.bring({ source: storeOf(blob), target }, [descriptorOf(blob, digest)]);
      const { content } = announced(run, blob);
      const made = await target.ingest(content, { mediaType: unknownType, kind: "blob", signal, onEvent: emit });
      blobs.arrived(target, made);
    },
    { signal },
  );
};

const unknownType = "application/octet-stream";

const descriptorOf = ({ size = 0 }: ComingBlob, digest: Digest): Descriptor => ({
  mediaType: unknownType,
  digest,
  size,
});

/** A piece as the only content of a store. */
const storeOf = ({ content, what }: ComingBlob): ReadableStore => ({
  resolve: () => Promise.reject(new Error(`${what} has no name`)),
  read: transfersAs<ReadableStore["read"]>(content, (descriptor, options = {}) =>
    checked(content.open({ offset: options.offset, signal: options.signal }), descriptor, options, (error) => error),
  ),
});

/** Content that tells how far it is. Until its digest is known it goes by that of its name. */
const announced = (
  run: Run,
  blob: ComingBlob,
): { readonly content: ComingBlob["content"]; readonly as: Descriptor } => {
  const as = descriptorOf(blob, blob.digest ?? digestOf(new TextEncoder().encode(blob.what)));
  run.emit({ type: "plan", blobs: 1, bytes: as.size });
  const plain = {
    read: transfersAs<ReadableStore["read"]>(blob.content, (_, { offset, signal } = {}) =>
      blob.content.open({ offset, signal }),
    ),
  };
  const metered = meteredContent(plain, as, { verify: false, onEvent: run.emit });
  const sizeless: ComingBlob["content"] = {
    open: transfersAs<Content["open"]>(metered, (options) => metered.open(options)),
  };
  return { content: blob.size === undefined ? sizeless : metered, as };
};

/** Puts a layer into a target as it is pushed. What it was before is known by its digest then. */
const compress = async (run: Run, blobs: Blobs, blob: ComingBlob, target: WritableStore & Ingests): Promise<void> => {
  const { ingestLayer } = await import("../image/index.ts");
  const { content, as } = announced(run, blob);
  const hashed = run.options.layers === "estargz" ? hashedOn(content) : undefined;
  const { signal, emit: onEvent } = run;
  const how = { compression: "gzip", empty: true, what: blob.what, signal, onEvent } as const;
  const layer = await ingestLayer(
    target as WritableStore & Ingests & ReadableStore,
    hashed ?? content,
    hashed === undefined ? how : { ...how, estargz: {} },
  );
  const { digest, size, annotations } = layer.descriptor;
  const before = hashed === undefined ? layer.diffID : await hashed.digest();
  const diffID = hashed === undefined ? undefined : layer.diffID;
  blobs.arrived(
    target,
    { ...layer.descriptor, size },
    { before, made: defined({ digest, size, annotations, diffID }) },
  );
  run.emit({ type: "done", descriptor: as });
};

/** Content whose digest is known when it was read to its end. */
const hashedOn = (content: ComingBlob["content"]): ComingBlob["content"] & { digest(): Promise<Digest> } => {
  let hash = digesterFor("sha256", content.size);
  return {
    size: content.size,
    open: transfersAs<Content["open"]>(content, async function* (options) {
      hash.abandon();
      hash = digesterFor("sha256", content.size);
      for await (const chunk of content.open(options)) {
        await hash.update(chunk);
        yield chunk;
      }
    }),
    digest: () => hash.digest(),
  };
};
