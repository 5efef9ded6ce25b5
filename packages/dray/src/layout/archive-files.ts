import { collect } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import type { OpenTar } from "../tarball/index.ts";
import { blobFile, type LayoutFiles } from "./files.ts";

/** The files of a layout in an open tar. */
export const archiveFiles = ({ tar, members }: OpenTar): LayoutFiles => {
  const { what } = tar;
  return {
    what,
    location: `oci-archive:${what}`,
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
          ? `${what} is a docker archive; read it as docker-archive:${what}`
          : `${what} is no OCI archive: it has no index.json`,
      ),
    invalid: (fault, cause) =>
      new DrayError(cause?.code === "LIMIT_EXCEEDED" ? cause.code : "ARCHIVE_INVALID", `${what}: ${fault}`, { cause }),
    damaged: ({ digest }, _size, cause) =>
      new DrayError(cause.code, `${what}, entry "${blobFile(digest)}": ${cause.message}`, { reference: digest, cause }),
  };
};
