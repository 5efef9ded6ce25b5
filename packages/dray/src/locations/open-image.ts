import { type Located, type ReadableStore, selectOne } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import type { Image } from "../image/index.ts";
import type { WantedPlatform } from "../oci/index.ts";
import { type Opened, type OpenOptions, open } from "./open.ts";

/** Which image, and how it is come to. */
export interface OpenImageOptions extends OpenOptions {
  /** As text (`linux/arm64/v8`) or taken apart. Default: the one for Linux, where there is only one. */
  readonly platform?: string | WantedPlatform | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Looks at one image, wherever it is: that of a platform, where it has several. With `await using` a connection of its own is closed.
 * @throws DrayError `NOT_FOUND`; `USAGE` naming the platforms that it may be; what `open` and `viewOf` throw
 * @example
 * const image = await openImage("ghcr.io/acme/app:1.0", { platform: "linux/arm64" });
 * console.log((await image.config()).config?.Env);
 */
export const openImage = async (
  location: string | Located<ReadableStore>,
  options: OpenImageOptions = {},
): Promise<Image & AsyncDisposable> => {
  const { platform = { os: "linux" }, signal, ...opening } = options;
  // What was opened before stays open: it is somebody else's.
  const opened: Opened<ReadableStore> =
    typeof location === "string"
      ? await open(location, opening)
      : { ...location, [Symbol.asyncDispose]: async () => {} };
  const { store, name, [Symbol.asyncDispose]: dispose } = opened;
  try {
    const chosen = await selectOne(store, await store.resolve(name, { signal }), platform, {
      signal,
      called: opened.location,
    });
    // Most locations are opened for something else, and what looks into images takes a while to load.
    const { viewOf } = await import("../image/index.ts");
    const view = await viewOf(chosen.store, chosen.root, { signal });
    if (view.kind === "image") return { ...view, [Symbol.asyncDispose]: dispose };
    throw new DrayError("NOT_FOUND", `${opened.location} has no image`, { reference: opened.location });
  } catch (error) {
    await dispose();
    throw error;
  }
};
