import { DrayError } from "../../errors.ts";
import { endOfArchive, padding, readEntries, writeHeader } from "../../tar/index.ts";

/** Owner and group BUILTIN\Users, as a security descriptor: without it Windows lets nobody run the file. */
const usersDescriptor = "AQAAgBQAAAAkAAAAAAAAAAAAAAABAgAAAAAABSAAAAAhAgAAAQIAAAAAAAUgAAAAIQIAAA==";

/**
 * A tar of files as Windows wants a layer: everything below `Files/`, with a security descriptor, and an empty `Hives/` beside it. Links among the
 * files follow.
 * @throws DrayError `UNSUPPORTED` for one that has this form already, and what reading the tar throws
 */
export async function* windowsTar(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const name of ["Files/", "Hives/"]) yield writeHeader({ name, type: "directory", mode: 0o555 });
  for await (const { body, ...entry } of readEntries(chunks)) {
    const name = entry.name.replace(/^(?:\.?\/)+/, "");
    if (/^(?:Files|Hives)(?:\/|$)/.test(name))
      throw new DrayError("UNSUPPORTED", `the layer has the form of Windows already, by its entry "${entry.name}"`);
    if (name === "" || name === ".") continue;
    if (entry.type === "other")
      throw new DrayError("UNSUPPORTED", `entry "${entry.name}" is of a kind that Windows layers do not have`);
    const { type, size, mode, mtime, uid, gid, uname, gname, deviceMajor, deviceMinor } = entry;
    yield writeHeader({
      name: `Files/${name}`,
      type,
      size,
      mode,
      mtime,
      uid,
      gid,
      uname,
      gname,
      deviceMajor,
      deviceMinor,
      linkName: type === "hardlink" ? `Files/${entry.linkName.replace(/^(?:\.?\/)+/, "")}` : entry.linkName,
      pax: { ...entry.pax, "MSWINDOWS.rawsd": usersDescriptor },
    });
    yield* body;
    yield padding(size);
  }
  yield endOfArchive();
}
