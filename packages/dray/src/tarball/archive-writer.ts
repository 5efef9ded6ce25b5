import {
  bytesContent,
  type Cancel,
  type Content,
  collect,
  isManifest,
  type OfKind,
  type PlannedContent,
  verified,
  type WriteOptions,
} from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { type Descriptor, largestManifest } from "../oci/index.ts";
import type { NamedContent, TarSink } from "./sink.ts";

/** An archive that is being written. */
export interface ArchiveWriter {
  plan(root: Descriptor, content: readonly PlannedContent[]): Promise<void>;
  has(descriptor: Descriptor, options?: Cancel & OfKind): Promise<boolean>;
  write(descriptor: Descriptor, content: Content, options?: WriteOptions): Promise<void>;
  tag(descriptor: Descriptor, name: string, options?: Cancel): Promise<void>;
  /** What a name stands for in what was written so far. */
  resolve(name: string): Descriptor | undefined;
  /** Whether there is nothing to make an archive of. */
  isEmpty(): boolean;
  /** Ends it: now it stands under its name. */
  finish(): Promise<void>;
  /** Lets go of it, keeping what a later attempt can use. */
  abandon(): Promise<void>;
}

/** What a form of archive remembers of the images that are put into one, until it lists them at the end. */
export interface Catalogue extends Pick<ArchiveWriter, "resolve" | "isEmpty"> {
  /** Whether manifests lie in the archive, as other content does. */
  readonly holdsManifests: boolean;
  /** Name of the entry of content, by what its descriptor says. */
  entryName(descriptor: Descriptor): string;
  /** An image that will come. @throws DrayError `UNSUPPORTED` for what this form cannot hold */
  expect(root: Descriptor): void;
  /** A manifest that came. @throws DrayError `UNSUPPORTED`, `MANIFEST_INVALID` */
  add(descriptor: Descriptor, bytes: Uint8Array): void;
  /** Whether a manifest came. */
  has(descriptor: Descriptor): boolean;
  tag(descriptor: Descriptor, name: string): void;
}

/**
 * Writer of an archive: content goes into the tar, and what manifests say into the catalogue. A manifest that an earlier attempt
 * left does not count: who finds one looks no further, and others may be missing.
 */
export const archiveWriter = (
  sink: Omit<TarSink, "finish" | "read">,
  catalogue: Catalogue,
  finish: () => Promise<void>,
): ArchiveWriter => {
  const named = (descriptor: Descriptor): NamedContent => ({ descriptor, name: catalogue.entryName(descriptor) });
  const has: ArchiveWriter["has"] = async (descriptor, options) =>
    isManifest(descriptor, options) ? catalogue.has(descriptor) : sink.has(descriptor, options);
  return {
    has,
    plan: async (root, content) => {
      catalogue.expect(root);
      const held = content.filter(({ kind }) => kind === "blob" || catalogue.holdsManifests);
      await sink.plan(held.map(({ descriptor }) => named(descriptor)));
    },
    write: async (descriptor, content, options = {}) => {
      if (!isManifest(descriptor, options)) return sink.write(named(descriptor), content, options);
      const { signal } = options;
      const chunks = verified(content.open(signal === undefined ? {} : { signal }), descriptor);
      const bytes = await collect(chunks, largestManifest, `manifest ${descriptor.digest}`);
      if (catalogue.holdsManifests) await sink.write(named(descriptor), bytesContent(bytes), options);
      catalogue.add(descriptor, bytes);
    },
    tag: async (descriptor, name, options) => {
      if (!(await has(descriptor, options)))
        throw new DrayError("NOT_FOUND", `cannot name ${descriptor.digest} "${name}": it was not written`, {
          reference: descriptor.digest,
        });
      catalogue.tag(descriptor, name);
    },
    resolve: (name) => catalogue.resolve(name),
    isEmpty: () => catalogue.isEmpty(),
    finish,
    abandon: () => sink.abandon(),
  };
};
