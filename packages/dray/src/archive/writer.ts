import {
  type Cancel,
  type Content,
  collect,
  isManifest,
  type OfKind,
  type PlannedContent,
  type WriteOptions,
} from "../content/index.ts";
import { type Descriptor, largestManifest } from "../oci/index.ts";
import type { TarSink } from "../tarball/index.ts";
import { compose } from "./compose.ts";
import { likelyName } from "./entry-names.ts";
import { WrittenImages } from "./written-images.ts";

/** An archive that is being written. */
export interface ArchiveWriter {
  plan(root: Descriptor, content: readonly PlannedContent[]): Promise<void>;
  has(descriptor: Descriptor, options?: Cancel & OfKind): Promise<boolean>;
  write(descriptor: Descriptor, content: Content, options?: WriteOptions): Promise<void>;
  readonly images: WrittenImages;
  /** Ends it: now it stands under its name. */
  finish(): Promise<void>;
  /** Lets go of it, keeping what a later attempt can use. */
  abandon(): Promise<void>;
}

/** How an archive is brought to its end, once all its content is there. */
export type FinishArchive = (images: WrittenImages) => Promise<void>;

/** Writes content into a tar, and manifests into memory. */
export const archiveWriter = (sink: Omit<TarSink, "finish" | "read">, finish: FinishArchive): ArchiveWriter => {
  const images = new WrittenImages();
  return {
    images,
    plan: async (root, content) => {
      images.expect(root);
      const blobs = content.filter(({ kind }) => kind === "blob");
      await sink.plan(blobs.map(({ descriptor }) => ({ descriptor, name: likelyName(descriptor) })));
    },
    has: async (descriptor, options) =>
      isManifest(descriptor, options) ? images.has(descriptor) : sink.has(descriptor, options),
    write: async (descriptor, content, options) => {
      if (isManifest(descriptor, options)) await images.add(descriptor, content, options?.signal);
      else await sink.write({ descriptor, name: likelyName(descriptor) }, content, options);
    },
    finish: () => finish(images),
    abandon: () => sink.abandon(),
  };
};

/** Ends an archive in the form that `docker save` and others write. */
export const finishDocker =
  (sink: TarSink): FinishArchive =>
  async (images) => {
    const { names, last } = await compose(images.all(), {
      has: (descriptor) => sink.has(descriptor),
      load: (config) => collect(sink.read(config), largestManifest, `config ${config.digest}`),
    });
    await sink.finish(names, last);
  };
