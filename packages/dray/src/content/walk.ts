import { DrayError } from "../errors.ts";
import { childrenOf, type Descriptor, type Digest, type ParsedManifest } from "../oci/index.ts";
import { kindOfChild, loadManifest } from "./manifest.ts";
import { type ContentKind, isManifest, type ReadableStore, type ReadOptions } from "./store.ts";

/** One piece of content, where it was met. */
export interface Walked {
  readonly descriptor: Descriptor;
  readonly kind: ContentKind;
  /** What names it; nothing for the root. */
  readonly parent: Descriptor | undefined;
  /** Steps from the root, which has 0. */
  readonly depth: number;
  /** What a manifest says, the first time it is met. */
  readonly manifest: ParsedManifest | undefined;
}

/** Indexes within indexes at most. */
const deepest = 16;

/**
 * All that hangs on a manifest or index, itself first, each parent before its children in their order. What is named twice is met twice and read
 * once. Only manifests are read; a subject is not followed.
 * @throws DrayError `NOT_FOUND` for a manifest that is not there, `LIMIT_EXCEEDED`, `MANIFEST_INVALID`
 * @example for await (const { descriptor, depth } of walk(store, root)) console.log(" ".repeat(depth), descriptor.mediaType);
 */
export async function* walk(
  store: ReadableStore,
  root: Descriptor,
  options: Pick<ReadOptions, "signal" | "onEvent"> = {},
): AsyncGenerator<Walked> {
  const read = new Set<Digest>();
  const open: Omit<Walked, "manifest">[] = [
    { descriptor: root, kind: isManifest(root) ? "manifest" : "blob", parent: undefined, depth: 0 },
  ];
  for (let met = open.pop(); met !== undefined; met = open.pop()) {
    const { descriptor, kind, depth } = met;
    if (depth > deepest)
      throw new DrayError("LIMIT_EXCEEDED", `${root.digest} nests more than ${deepest} levels deep`, {
        reference: root.digest,
      });
    const isNew = kind === "manifest" && !read.has(descriptor.digest);
    const manifest = isNew ? (await loadManifest(store, descriptor, options)).parsed : undefined;
    yield { ...met, manifest };
    if (manifest === undefined) continue;
    read.add(descriptor.digest);
    for (const child of childrenOf(manifest).toReversed())
      open.push({ descriptor: child, kind: kindOfChild(manifest, child), parent: descriptor, depth: depth + 1 });
  }
}
