import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { DrayError } from "dray/errors";
import { parseLocation } from "dray/locations";
import { liesHere } from "./local-names.ts";

/**
 * Refuses words of a push in the order of a pull: an image that lies here, to be sent to a file.
 * @throws DrayError `USAGE` with the words in their order.
 */
export const refuseSwappedPush = async (path: string, image: string): Promise<void> => {
  if (!isReference(path) || (await isThere(path)) || (await liesHere(image)) === undefined) return;
  throw new DrayError(
    "USAGE",
    `${path} is not there and ${image} is: what is pushed comes first, dray push ${image} ${path}`,
  );
};

/**
 * Refuses to pull into a registry, which is what a path with a registry's name in front means, unless there is such a directory.
 * @throws DrayError `USAGE` with the command that does it.
 */
export const refusePullToRegistry = async ([image = ""]: readonly string[], path: string): Promise<void> => {
  if (!/^(?:localhost|[^/]*[.:][^/]*)\//.test(path) || !isReference(path) || (await isThere(dirname(path)))) return;
  const what =
    (await liesHere(image)) === undefined
      ? `an image goes to a registry by dray copy ${image} ${path}`
      : `what lies here goes to a registry by dray push ${image} ${path}`;
  throw new DrayError("USAGE", `cannot write ${path}: there is no directory ${dirname(path)}; ${what}`);
};

/**
 * Refuses to pull into a location: what is pulled goes to a path, which could be called so.
 * @throws DrayError `USAGE` with the command that does it.
 */
export const refusePullToLocation = ([image = ""]: readonly string[], path: string): void => {
  const prefix = /^(?:oci|oci-archive|docker-archive|docker-daemon):|^docker:\/\//.exec(path)?.[0];
  if (prefix === undefined) return;
  throw new DrayError(
    "USAGE",
    `PATH is a plain path, and ${path} is a location: that is written by dray copy ${image} ${path}`,
  );
};

const isReference = (text: string): boolean => {
  try {
    return parseLocation(text).kind === "registry";
  } catch {
    return false;
  }
};

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
