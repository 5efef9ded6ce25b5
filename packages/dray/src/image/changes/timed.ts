import type { Ingests, JsonChange, JsonObject, ReadableStore } from "../../content/index.ts";
import { DrayError } from "../../errors.ts";
import { type Compression, compressionOf } from "../../oci/index.ts";
import type { HistoryEntry } from "../config.ts";
import type { Change } from "../edit.ts";
import { isTime } from "./configuration.ts";
import { withMember } from "./members.ts";
import { ofLayers } from "./of-layers.ts";
import { isForeign, type RemakeOptions, Remaker } from "./remade.ts";
import { changeTo } from "./steps.ts";

/** How an image gets one time. */
export interface TimeOptions extends RemakeOptions {
  /** RFC 3339, or a time. Default: 1970. */
  readonly time?: string | Date | undefined;
  /** `true`: what says on which machine it was built is taken away, too: host name, container, version of docker. Default `false`. */
  readonly canonical?: boolean | undefined;
  /** Of all layers. Default: each as it is compressed; those written by other tools come out the same only where one is said. */
  readonly compression?: Compression | undefined;
  readonly level?: number | undefined;
}

/**
 * Gives an image, or each below an index, one time: in its configuration, its history and every header of its layers, which are written anew in one form.
 * The same files in the same order give the same digest, whenever and wherever they were packed. Layers pass through; none is held.
 * @param target where the new layers are put: the store that the image goes to
 * @throws DrayError from `edit` `USAGE` for a time that is none, `ARCHIVE_INVALID`, and what reading and writing throw
 * @example const { store, root } = await edit(view, timed(target.store, { time: "2026-01-01T00:00:00Z", canonical: true }));
 */
export const timed = (target: ReadableStore & Ingests, options: TimeOptions = {}): Change => {
  const { canonical = false, compression, level, signal, onEvent } = options;
  const time = new Date(options.time ?? 0);
  if (Number.isNaN(time.getTime()) || (typeof options.time === "string" && !isTime(options.time)))
    throw new DrayError("USAGE", `${String(options.time)} is no time such as 2026-01-31T12:00:00Z`);
  const created = time.toISOString().replace(/\.000Z$/, "Z");
  const mtime = Math.floor(time.getTime() / 1000);
  const remaker = new Remaker(target, ({ descriptor }) => ({
    mtime,
    // What is written anew is compressed anew.
    compression: compression ?? compressionOf(descriptor.mediaType),
    level,
    signal,
    onEvent,
  }));
  return ofLayers(async (steps, image) => {
    const after = await remaker.steps(image, steps, isForeign);
    const change = changeTo(
      after.map(({ history, layer }) => ({
        layer,
        history: history && ({ ...history, created } satisfies HistoryEntry),
      })),
    );
    const config: JsonChange = (document) => {
      const said = { ...(change.config?.(document) ?? document), created };
      return canonical ? withoutMachine(said) : said;
    };
    return { ...change, config };
  });
};

/** What docker writes of the machine that it built on. */
const withoutMachine = (document: JsonObject): JsonObject => {
  const outside = ["container", "docker_version", "container_config"].reduce(
    (after, member) => withMember(after, member, undefined),
    document,
  );
  const { config } = outside;
  return typeof config === "object" && config !== null
    ? { ...outside, config: withMember(config as JsonObject, "Hostname", undefined) }
    : outside;
};
