import type { Cancel, HasReferrers } from "../content/index.ts";
import type { Descriptor } from "../oci/index.ts";
import {
  type ArchiveForm,
  type ArchiveOptions,
  type ArchiveStore,
  archiveWriter,
  openSink,
  TarStore,
} from "../tarball/index.ts";
import { archiveFiles } from "./archive-files.ts";
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
    const layout = new WrittenLayout();
    return archiveWriter(sink, layout, () => layout.finish(sink));
  },
};

class OciArchive extends TarStore<LayoutReader> implements OciArchiveStore {
  async *referrers(subject: Descriptor, options: Cancel & { artifactType?: string } = {}): AsyncGenerator<Descriptor> {
    yield* (await this.reader(options)).referrers(subject, options);
  }
}
