import { DrayError } from "dray/errors";
import { parseLocation } from "dray/locations";
import { beforeName } from "../images.ts";

/** A repository as somebody has written it, and what of it runs. */
export interface Place {
  /** Where tags are asked for. */
  readonly text: string;
  /** What stands before a tag in a reference, in the form that was asked. */
  readonly prefix: string;
  /** What is there now. */
  readonly tag?: string;
  readonly digest?: string;
}

/** Takes apart `REPOSITORY[:TAG][@DIGEST]`, or a location that names no image in it. */
export const placeOf = (text: string): Place => {
  const location = parseLocation(text, { defaultTag: "" });
  if (location.kind !== "registry") {
    const { name } = location as { readonly name?: string };
    if (name !== undefined && name !== "")
      throw new DrayError("USAGE", `"${text}" names an image; name what it lies in, for all of its tags`);
    return { text, prefix: beforeName(text) };
  }
  const { tag, digest } = location.reference;
  const named = digest === undefined ? text : text.slice(0, text.lastIndexOf("@"));
  const repository = tag === undefined || tag === "" ? named : named.slice(0, named.lastIndexOf(":"));
  return {
    text: repository,
    prefix: `${repository}:`,
    ...(tag === undefined || tag === "" ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
};
