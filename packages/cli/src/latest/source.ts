import type { ChooseOptions, Fact, ImageFacts } from "@dray/policy";
import { type HasTags, hasTags, looksUp, type ReadableStore } from "dray/content";
import { DrayError, throwIfAborted } from "dray/errors";
import { LazyMap } from "dray/internal/async";
import { defined } from "dray/internal/defined";
import { open } from "dray/locations";
import type { Digest, Platform } from "dray/oci";
import type { TagsOptions } from "dray/registry";
import type { Call } from "../context.ts";
import { messageOf } from "../failure.ts";
import { warnOfLocal } from "../local-names.ts";
import { registriesFor } from "../registries.ts";
import { createdIn, creationTimes, isBroken, type Look, lookInto } from "../tags/index.ts";
import { findAttached } from "./attached.ts";

/** Who tells which tags there are, and what is known of their images. */
export interface TagSource {
  readonly tags: () => AsyncIterable<string>;
  readonly facts: NonNullable<ChooseOptions["facts"]>;
  /** What a tag stands for now. */
  readonly digest: (tag: string) => Promise<Digest>;
}

/**
 * Whom a question about tags goes to: the registry, or the location, that is named. This is the one place where somebody who has looked already could
 * answer instead.
 */
export const sourceOf = async (call: Call, place: string): Promise<TagSource> => {
  await warnOfLocal(call, place);
  const { connect, engine } = await registriesFor(call);
  const { store } = await open(place, { connect, engine, defaultTag: "" });
  if (!hasTags(store)) throw new DrayError("UNSUPPORTED", `${place}: has no list of names`, { reference: place });
  const { signal } = call;
  // By digest: many tags stand for one image.
  const [times, looks] = [creationTimes(store, signal), new LazyMap<string, Look>()];
  const question = { store, signal, looks };
  return {
    tags: () => wholeList(call, store, place),
    facts: (tag, wanted) =>
      orBroken(signal, async () => {
        // Where time is the order each image is asked about, and nothing of it is kept but that.
        if (wanted.length === 1 && wanted[0] === "time") return defined<ImageFacts>({ time: await times(tag) });
        return factsOf(question, { tag, wanted });
      }),
    digest: async (tag) => {
      const found = looksUp(store) ? await store.lookUp(tag, { signal }) : undefined;
      return (found ?? (await store.resolve(tag, { signal }))).digest;
    },
  };
};

/** Of a list that ends before it should nobody knows what would have been the newest. */
const wholeList = async function* ({ reporter, signal }: Call, store: HasTags, place: string): AsyncGenerator<string> {
  let cut: string | undefined;
  const onEvent: NonNullable<TagsOptions["onEvent"]> = (event) => {
    if (event.type === "warning" && event.partial === true) cut = event.message;
    else reporter.onEvent(event);
  };
  const options: TagsOptions = { signal, onEvent };
  yield* store.tags(options);
  if (cut !== undefined)
    throw new DrayError("PARTIAL", `${cut}, and what is not listed may be newer`, { reference: place });
};

/** A broken image is told of as one, and the others are looked at. */
const orBroken = async (signal: AbortSignal, ask: () => Promise<ImageFacts>): Promise<ImageFacts> => {
  try {
    return await ask();
  } catch (error) {
    throwIfAborted(signal);
    if (!isBroken(error)) throw error;
    return { error: messageOf(error) };
  }
};

interface Looking {
  readonly store: ReadableStore;
  readonly signal: AbortSignal;
  readonly looks: LazyMap<string, Look>;
}

/** Asks for no more than is wanted: the manifest, the configuration where that has to say it, what is attached. */
const factsOf = async (
  { store, signal, looks }: Looking,
  { tag, wanted }: { readonly tag: string; readonly wanted: readonly Fact[] },
): Promise<ImageFacts> => {
  const root = await store.resolve(tag, { signal });
  const look = await looks.get(root.digest, () => lookInto(store, root, signal));
  const [signature, sbom] = [wanted.includes("signature"), wanted.includes("sbom")];
  const attached =
    signature || sbom ? await findAttached(store, { root, parsed: look.parsed }, { signature, sbom }, signal) : {};
  return defined<ImageFacts>({
    time: wanted.includes("time") ? await createdIn(look) : undefined,
    platforms: wanted.includes("platforms") ? await platformsOf(look) : undefined,
    ...attached,
  });
};

const platformsOf = async ({ parsed, config }: Look): Promise<readonly Platform[] | undefined> => {
  if (parsed.kind === "index")
    return parsed.index.manifests.flatMap(({ platform }) =>
      platform === undefined || platform.os === "unknown" ? [] : [platform],
    );
  const { os, architecture, variant, ["os.version"]: version } = (await config()) ?? {};
  if (typeof os !== "string" || typeof architecture !== "string") return undefined;
  return [
    defined<Platform>({
      os,
      architecture,
      variant: typeof variant === "string" ? variant : undefined,
      "os.version": typeof version === "string" ? version : undefined,
    }),
  ];
};
