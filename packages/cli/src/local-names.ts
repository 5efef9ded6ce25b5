import { stat } from "node:fs/promises";
import { join } from "node:path";
import { parseLocation } from "dray";
import { formatReference } from "dray/oci";
import type { Call } from "./context.ts";

/**
 * Says of words that name no registry, and are looked up on Docker Hub, that something of that name lies here: it was perhaps meant. Nothing is
 * done on that guess, since `dray pull alpine alpine` may have made that file.
 */
export const warnOfLocal = async ({ reporter }: Pick<Call, "reporter">, text: string): Promise<void> => {
  const location = parseLocation(text);
  if (location.kind !== "registry" || location.reference.registry !== "docker.io") return;
  if (/^(?:docker:\/\/|(?:index\.|registry-1\.)?docker\.io\/)/i.test(text)) return;
  const [colon, lastColon] = [text.indexOf(":"), text.lastIndexOf(":")];
  // `layout:name` and `ociarchive:file` are words for a path, too.
  const paths = colon < 0 ? [text] : [text, text.slice(0, lastColon), text.slice(colon + 1)];
  for (const path of new Set(paths)) {
    const here = await kindOf(path);
    if (here === undefined) continue;
    const read = `"${text}" is read as ${formatReference(location.reference)}`;
    reporter.warn(`${read}; what lies here is ${here.map((kind) => `${kind}:${path}`).join(" or ")}`);
    return;
  }
};

/** What a path may be read as: any file may be an archive, and a directory is a layout where it says so. */
const kindOf = async (path: string): Promise<readonly string[] | undefined> => {
  if (await isFile(path)) return ["docker-archive", "oci-archive"];
  return (await isFile(join(path, "oci-layout"))) ? ["oci"] : undefined;
};

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  );
