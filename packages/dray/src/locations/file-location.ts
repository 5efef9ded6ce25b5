import { elsewhere, notYet } from "./foreign.ts";
import { locationKinds } from "./table.ts";

/** A file in an image, in words taken apart. */
export interface FileLocation {
  /** The image's location, as `open` takes it. */
  readonly image: string;
  /** From the root of the image: `/etc/passwd`. */
  readonly path: string;
}

/** Such as a drive of Windows, whose colon belongs to the path. */
const drive = /^(?:[\\/]{2}[?.][\\/])?[A-Za-z]:[\\/]/;

/**
 * Takes `IMAGE:/path` apart, whatever kind of place the image is in: `alpine:3.20:/etc/passwd`, `oci:DIR:NAME:/etc`, `oci:DIR:/etc` where the layout
 * has one image. A known prefix is read first, so that `oci:/srv/x` is a layout. `undefined`: it names no file. Whether the image's location
 * makes sense is not looked at.
 * @example parseFileLocation("localhost:5000/app:/etc/passwd") // { image: "localhost:5000/app", path: "/etc/passwd" }
 */
export const parseFileLocation = (text: string): FileLocation | undefined => {
  const known = locationKinds.find(({ prefix }) => text.startsWith(prefix));
  const prefix = known?.prefix ?? foreignPrefix(text);
  const rest = text.slice(prefix.length);
  const skipped = known?.path === undefined ? 0 : (drive.exec(rest)?.[0].length ?? 0);
  const colon = rest.indexOf(":/", skipped);
  if (colon <= 0) return undefined;
  return { image: prefix + rest.slice(0, colon), path: rest.slice(colon + 1) };
};

/** A scheme, or what other tools call a kind of place: whoever opens it says what it is here. */
const foreignPrefix = (text: string): string => {
  const [prefix = "", word = ""] = /^([a-z-]+):(?:\/\/)?/.exec(text) ?? [];
  return prefix.endsWith("//") || Object.hasOwn(notYet, word) || Object.hasOwn(elsewhere, word) ? prefix : "";
};
