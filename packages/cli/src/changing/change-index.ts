import type { Located, ReadableStore } from "dray/content";
import { DrayError } from "dray/errors";
import type { Edited, ImageIndex } from "dray/image";
import type { Call } from "../context.ts";
import { type ChangingOptions, changeImage } from "./change-image.ts";

/** What every command that changes an index can be told. */
export type IndexOptions = ChangingOptions;

/**
 * Changes an index as `make` says, and puts what becomes of it where the flags say.
 * @throws DrayError `UNSUPPORTED` where there is an image in its place
 */
export const changeIndex = (
  call: Call<IndexOptions>,
  name: string,
  make: (index: ImageIndex) => Promise<Edited>,
  given?: Located<ReadableStore>,
): Promise<void> =>
  changeImage(
    call,
    name,
    async ({ view, source: { location } }) => {
      if (view.kind === "index") return make(view);
      throw new DrayError(
        "UNSUPPORTED",
        `${location} is one image, and no index; dray index append makes one of images`,
        { reference: location },
      );
    },
    given === undefined ? {} : { from: given },
  );
