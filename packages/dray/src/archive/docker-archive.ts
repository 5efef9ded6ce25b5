import type { ComposesManifests, NamesReferences } from "../content/index.ts";
import { type ArchiveForm, type ArchiveOptions, type ArchiveStore, openSink, TarStore } from "../tarball/index.ts";
import { finishImages } from "./compose.ts";
import { legacyWriter } from "./legacy-writer.ts";
import { type DockerArchiveReader, openImages } from "./reader.ts";
import { WrittenImages } from "./written-images.ts";

/** A docker-archive as a store: its names are whole references, and it composes its manifests. Written to, it begins empty. */
export type DockerArchiveStore = ArchiveStore & ComposesManifests & NamesReferences;

/**
 * A tar in the form of `docker save`, as docker, podman, skopeo and crane read and write it.
 *
 * Read, it holds images by their names (`alpine` finds `docker.io/library/alpine:latest`), `""` being the only one, `@0` the first,
 * a digest that of a manifest or an image's ID. The tar may be compressed as a whole; nothing is unpacked. Archives
 * have no manifests: one is made for each image over its layers as they lie, of the same bytes each time.
 *
 * Written, it begins empty, whatever stood there before. Several images may go into one, each with `tag`; at `close` the file takes
 * its name. Until then it grows in `FILE.dray-part`, from where a later attempt goes on. `-` stands for standard input and output.
 * @throws DrayError from its functions: `NOT_FOUND`, `ARCHIVE_INVALID`, `UNSUPPORTED`, `LOCKED`, `DISK`
 * @example
 * const archive = dockerArchive("alpine.tar");
 * const descriptor = await archive.resolve("alpine:3.20");
 */
export const dockerArchive = (file: string, options: ArchiveOptions = {}): DockerArchiveStore =>
  new DockerArchive(file, options, { openReader: openImages, openWriter });

/**
 * The form before Docker 1.10, which newer ones still load: a folder per layer, uncompressed, with a description each. Read it is
 * the same as `dockerArchive`.
 */
export const legacyArchive = (file: string, options: ArchiveOptions = {}): DockerArchiveStore =>
  new DockerArchive(file, options, { openReader: openImages, openWriter: legacyWriter });

const openWriter: ArchiveForm<DockerArchiveReader>["openWriter"] = async (file, options) => {
  const sink = await openSink(file, options);
  const catalogue = new WrittenImages();
  return { sink, catalogue, finish: () => finishImages(catalogue.all(), sink), abandon: () => sink.abandon() };
};

class DockerArchive extends TarStore<DockerArchiveReader> implements DockerArchiveStore {
  readonly composesManifests = true;
  readonly namesReferences = true;
}
