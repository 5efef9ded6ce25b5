import { type JsonObject, type ReadOptions } from "../../content/index.ts";
import { defined } from "../../defined.ts";
import { DrayError, firstOf } from "../../errors.ts";
import {
  asDescriptor,
  type Descriptor,
  type Digest,
  formatPlatform,
  isConfigType,
  type Platform,
} from "../../oci/index.ts";
import { aboutThese } from "../about-these.ts";
import { type Change, type Edited, edit } from "../edit.ts";
import type { Matcher } from "../matchers.ts";
import type { Image, ImageIndex } from "../views.ts";
import { changedTexts, objectIn, type TextChange, withFilled } from "./members.ts";

/**
 * Leaves in an index what matches, and what says something about that: attestations, and artifacts whose subject it is.
 * @throws DrayError from `edit` `NOT_FOUND` where nothing matches, `USAGE` for an image, and what reading throws
 * @example await edit(view, entriesKept(byPlatform("linux/amd64", "linux/arm64")));
 */
export const entriesKept = (matcher: Matcher): Change => withEntries(matcher, (_, belonging) => belonging);

/**
 * Takes out of an index what matches, and what says something about that: attestations, and artifacts whose subject it is.
 * @throws DrayError from `edit` `NOT_FOUND` where nothing matches, `USAGE` for an image, and what reading throws
 * @example await edit(view, entriesRemoved(byDigest(digest)));
 */
export const entriesRemoved = (matcher: Matcher): Change =>
  withEntries(matcher, (all, belonging) => new Set(all.filter((entry) => !belonging.has(entry))));

/**
 * Sets annotations of what an index says of those that match, and takes away those that are `null`. What they name stays.
 * @throws DrayError from `edit` `NOT_FOUND` where nothing matches, `USAGE` for an image
 * @example await edit(view, entriesAnnotated(byDigest(digest), { "org.example.team": "a" }));
 */
export const entriesAnnotated = (matcher: Matcher, annotations: TextChange): Change =>
  ofIndex((document) => {
    const [raw, entries] = entriesOf(document);
    if (!entries.some(matcher)) throw noneMatches(entries);
    const changed = (entry: JsonObject): JsonObject =>
      withFilled(entry, "annotations", changedTexts(objectIn(entry, "annotations"), annotations));
    const manifests = raw.map((entry, at) => (matcher(entries[at] as Descriptor) ? changed(entry) : entry));
    return { ...document, manifests };
  });

/** How images are put into an index. */
export interface AppendEntriesOptions extends Pick<ReadOptions, "signal"> {
  /** `false`: an index is put there as one entry. Default `true`: each of its entries is. */
  readonly flatten?: boolean | undefined;
}

/**
 * Puts images, and indexes, behind what is in an index, whatever stores they lie in. An entry says the platform that the configuration says. What is there
 * already by its digest stays as it is.
 * @throws DrayError `MANIFEST_INVALID`, and what reading throws
 * @example
 * const { store, root } = await entriesAppended(await emptyIndex(), [amd64, arm64]);
 * await copy({ store, name: root.digest, location: "" }, target);
 */
export const entriesAppended = async (
  view: ImageIndex,
  more: readonly (Image | ImageIndex)[],
  { flatten = true, signal }: AppendEntriesOptions = {},
): Promise<Edited> => {
  const added: (readonly Descriptor[])[] = [];
  for (const each of more)
    added.push(each.kind === "index" && flatten ? (await each.index()).manifests : [await entryOf(each)]);
  const change = (document: JsonObject): JsonObject => {
    const [raw, entries] = entriesOf(document);
    const known = new Set<string>(entries.map(({ digest }) => digest));
    const news = added.flat().filter(({ digest }) => !known.has(digest) && known.add(digest));
    return news.length === 0 ? document : { ...document, manifests: [...raw, ...news] };
  };
  const edited = await edit(view, ofIndex(change), { signal });
  for (const each of more)
    if (each.store !== view.store) {
      const below = each.kind === "index" ? await digestsBelow(each) : await digestsOf(each);
      for (const digest of below) edited.store.elsewhere.set(digest, each.store);
    }
  return edited;
};

const entryOf = async (view: Image | ImageIndex): Promise<Descriptor> => {
  const { mediaType, digest, size } = view.descriptor;
  const platform = view.kind === "image" ? await platformSaid(view) : undefined;
  return defined<Descriptor>({ mediaType, digest, size, platform });
};

const platformSaid = async (image: Image): Promise<Platform | undefined> =>
  isConfigType((await image.manifest()).config.mediaType) ? image.platform() : undefined;

const digestsOf = async (image: Image): Promise<Digest[]> => {
  const { config, layers } = await image.manifest();
  return [image.descriptor, config, ...layers].map(({ digest }) => digest);
};

const digestsBelow = async (index: ImageIndex): Promise<Digest[]> => {
  const found: Digest[] = [index.descriptor.digest];
  for (const { digest } of (await index.index()).manifests) {
    const child = await index.child(digest);
    found.push(...(child.kind === "index" ? await digestsBelow(child) : await digestsOf(child)));
  }
  return found;
};

const fault: Change["fault"] = ({ kind, descriptor }) =>
  kind === "index"
    ? undefined
    : new DrayError("USAGE", `${descriptor.digest} is an image, and no index that has entries`);

/** A change to the index in view. */
const ofIndex = (change: (document: JsonObject) => JsonObject): Change => ({
  fault,
  index: (document, { depth }) => (depth === 0 ? change(document) : document),
});

/** A choice among entries, by those that match and what says something about these. */
const withEntries = (
  matcher: Matcher,
  choose: (all: readonly Descriptor[], belonging: ReadonlySet<Descriptor>) => ReadonlySet<Descriptor>,
): Change => ({
  fault,
  entries: async (view, options) => {
    const { manifests } = await view.index();
    const matching = manifests.filter(matcher);
    if (matching.length === 0) throw noneMatches(manifests);
    const about = await aboutThese(view, new Set(matching.map(({ digest }) => digest)), options);
    return choose(manifests, new Set([...matching, ...about]));
  },
});

const entriesOf = (document: JsonObject): [readonly JsonObject[], readonly Descriptor[]] => {
  const raw = (document["manifests"] ?? []) as readonly JsonObject[];
  return [raw, raw.map((entry, at) => asDescriptor(entry, `manifests[${at}]`))];
};

const noneMatches = (entries: readonly Descriptor[]): DrayError => {
  const there = entries.map(({ digest, platform }) =>
    platform === undefined ? digest : `${formatPlatform(platform)} ${digest}`,
  );
  const what = there.length === 0 ? "it is empty" : `it has ${firstOf(there)}`;
  return new DrayError("NOT_FOUND", `no entry of the index is meant by that; ${what}`);
};
