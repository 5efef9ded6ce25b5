import { type Cancel, collect, type HasReferrers } from "../content/index.ts";
import { DrayError, errorIn } from "../errors.ts";
import type { Descriptor } from "../oci/index.ts";
import {
  type ArchiveForm,
  type ArchiveOptions,
  type ArchiveStore,
  type OpenTar,
  openSink,
  TarStore,
} from "../tarball/index.ts";
import { blobFile, type LayoutFiles } from "./files.ts";
import { LayoutReader } from "./reader.ts";
import { WrittenLayout } from "./written-layout.ts";

/** An OCI layout in a tar as a store. Written to, it begins empty. */
export type OciArchiveStore = ArchiveStore & HasReferrers;

/**
 * An OCI layout in a tar, as skopeo, podman and buildx write it, and Docker since version 25. Names are those of a layout. Read, nothing
 * is unpacked, and the tar may be compressed as a whole. Written, it begins empty, whatever stood there before, grows in
 * `FILE.dray-part`, from where a later attempt goes on, and takes its name at `close`. `-` stands for standard input and output.
 * @throws DrayError from its functions: `NOT_FOUND`, `ARCHIVE_INVALID`, `UNSUPPORTED`, `LOCKED`, `DISK`
 * @example
 * const archive = ociArchive("bundle.tar");
 * const descriptor = await archive.resolve("v1");
 */
export const ociArchive = (file: string, options: ArchiveOptions = {}): OciArchiveStore =>
  new OciArchive(file, options, form);

const form: ArchiveForm<LayoutReader> = {
  openReader: async (opened, options) => {
    const reader = new LayoutReader(archiveFiles(opened));
    await reader.index(options);
    return reader;
  },
  openWriter: async (file, options) => {
    const sink = await openSink(file, options);
    const catalogue = new WrittenLayout();
    return { sink, catalogue, finish: () => catalogue.finish(sink), abandon: () => sink.abandon() };
  },
};

class OciArchive extends TarStore<LayoutReader> implements OciArchiveStore {
  async *referrers(subject: Descriptor, options: Cancel & { artifactType?: string } = {}): AsyncGenerator<Descriptor> {
    yield* (await this.reader(options)).referrers(subject, options);
  }
}

/** The files of a layout in an open tar. */
const archiveFiles = ({ tar, members }: OpenTar): LayoutFiles => {
  const { what, path } = tar;
  return {
    what,
    location: `oci-archive:${path}`,
    fixed: true,
    find: async (name, { signal }) => {
      const entry = await members.find(name, signal);
      if (entry === undefined) return undefined;
      const { size } = entry;
      return {
        size,
        read: (options) => tar.read(entry, options),
        load: (options) => collect(tar.read(entry, options), size, `${name} in ${what}`),
      };
    },
    noIndex: async () =>
      new DrayError(
        "ARCHIVE_INVALID",
        members.has("manifest.json")
          ? `${what} is a docker archive; read it as docker-archive:${path}`
          : `${what} is no OCI archive: it has no index.json`,
      ),
    invalid: (fault, cause) =>
      new DrayError(cause?.code === "LIMIT_EXCEEDED" ? cause.code : "ARCHIVE_INVALID", `${what}: ${fault}`, { cause }),
    damaged: ({ digest }, _size, cause) =>
      errorIn(`${what}, entry "${blobFile(digest)}"`, cause, { reference: digest }),
  };
};
