import { plural } from "@dray/service/figures";
import { Option } from "commander";
import { DrayError, isDrayError, restated } from "dray/errors";
import { type Bases, edit, type Image, type ImageIndex, platformOf, type Rebased, rebased, viewOf } from "dray/image";
import { LazyMap } from "dray/internal/async";
import { parseLocation } from "dray/locations";
import type { Descriptor, Reference } from "dray/oci";
import { annotationKeys, formatPlatform, formatReference, parseReference } from "dray/oci";
import { type ChangingOptions, changeImage, changingFlags } from "../changing/index.ts";
import type { Act, Call, Define } from "../context.ts";
import { opened } from "../images.ts";
import { calling } from "../typed-as.ts";

interface RebaseOptions extends ChangingOptions {
  readonly old_base?: string;
  readonly new_base?: string;
  readonly rebased?: string;
  readonly original?: string;
}

export const define: Define = (command) =>
  changingFlags(
    command
      .argument("[image]", "the image or index to put on another base")
      .option("--old_base <location>", "what it was built on (default: what its annotations say)")
      .option("--new_base <location>", "what it is to stand on (default: what its annotations name as its base)")
      .addOption(new Option("--rebased <image>", "as --tag").hideHelp())
      .addOption(new Option("--original <image>", "the image").hideHelp()),
  ).addHelpText("after", "\nOf an index every image is rebased, or those that --platform names; the index stays one.");

export const examples: readonly string[] = [
  "dray rebase registry.example.com/team/app:1.0",
  "dray rebase --old_base alpine:3.19 --new_base alpine:3.20 -t app:1.1 app:1.0",
];

export const act: Act<RebaseOptions> = async (call, [word]) => {
  const { options, signal, reporter } = call;
  const image = word ?? options.original ?? "";
  if (word !== undefined && options.original !== undefined)
    throw new DrayError("USAGE", `--original: the image is named twice, ${options.original} and ${word}`);
  if (image === "") throw new DrayError("USAGE", "say which image is to stand on another base: dray rebase IMAGE");
  const names = new Map<string, string>();
  const bases = basesFor(call, image, names);
  const lines: string[] = [];
  const tell = (done: Rebased): void => void lines.push(told(names, done));
  await changeImage(
    call,
    image,
    async ({ view }) => {
      const made = await edit(view, rebased(bases, tell), { platforms: options.platform, signal }).catch(
        (error: unknown) => {
          throw isDrayError(error, "CHECK_FAILED") ? restated(error, error.code, inWords(error.message, names)) : error;
        },
      );
      // Images of an index are done side by side; what is said of them has one order.
      for (const line of lines.sort()) reporter.note(line);
      return made;
    },
    { tag: options.tag ?? options.rebased },
  );
};

/** Bases as they were named, in place of their digests. */
const inWords = (message: string, names: ReadonlyMap<string, string>): string =>
  [...names].reduce((text, [digest, name]) => text.replaceAll(`stand on ${digest}:`, `stand on ${name}:`), message);

const told = (names: ReadonlyMap<string, string>, { image, bases, removed, added, kept }: Rebased): string => {
  const [which, from, to] = [image, bases.from, bases.to].map(({ descriptor }) => names.get(descriptor.digest) ?? "");
  return bases.from.descriptor.digest === bases.to.descriptor.digest
    ? `${which} stands on ${to} already`
    : `${which}: ${plural(removed, "layer")} of ${from} ${removed === 1 ? "makes" : "make"} room for ${added} of ${to}, ${kept} ${kept === 1 ? "stays" : "stay"} on top`;
};

/** As much of a digest as tells it from others. */
const shortened = (name: string): string => name.replace(/(@sha\d+:[0-9a-f]{12})[0-9a-f]+$/, "$1…");

/** A base as it was named, looked at once. */
interface Found {
  readonly name: string;
  readonly view: Image | ImageIndex;
  readonly root: Descriptor;
}

/**
 * The bases of one image after the other, by the flags, else by its annotations. What somebody wrote into an image is a reference, and names nothing on
 * this machine.
 */
const basesFor = (
  call: Call<RebaseOptions>,
  location: string,
  names: Map<string, string>,
): ((image: Image) => Promise<Bases>) => {
  const { signal } = call;
  const known = new LazyMap<string, Found>();
  const find = (name: string): Promise<Found> =>
    known.get(name, async () => {
      const { store, name: tag } = await opened(call, name);
      const root = await store.resolve(tag, { signal, toRead: true });
      const view = await calling(name, () => viewOf(store, root, { signal }));
      return { name, root, view };
    });
  return async (image) => {
    const { annotations = {} } = await image.manifest();
    const { [annotationKeys.baseName]: said, [annotationKeys.baseDigest]: digest } = annotations;
    const to = call.options.new_base ?? (said === undefined ? undefined : registryName(parseReference(said)));
    if (to === undefined) throw unknown(location, "new", annotationKeys.baseName);
    const from = call.options.old_base ?? olds(to, said, digest);
    if (from === undefined) throw unknown(location, "old", annotationKeys.baseDigest);
    const platform = platformOf(await image.config());
    const childOf = async ({ view }: Found): Promise<Image> =>
      view.kind === "image" ? view : view.image(platform ?? { os: "linux", architecture: "amd64" });
    const [older, newer] = [await firstOf(find, [from].flat()), await find(to)];
    const old = await childOf(older);
    const fresh = await childOf(newer);
    names.set(old.descriptor.digest, shortened(older.name));
    names.set(fresh.descriptor.digest, shortened(newer.name));
    names.set(image.descriptor.digest, platform === undefined ? location : `${location} (${formatPlatform(platform)})`);
    return {
      from: old,
      to: fresh,
      name: call.options.new_base === undefined ? said : nameOf(to),
      digest: newer.root.digest,
    };
  };
};

const unknown = (image: string, which: "old" | "new", key: string): DrayError =>
  new DrayError(
    "USAGE",
    `nothing says which base is the ${which} one: ${image} has no annotation ${key}; name it with --${which}_base`,
    { reference: image },
  );

/** Where the old base may lie, of which an image knows the digest alone: beside its name, or beside the new one. */
const olds = (to: string, said: string | undefined, digest: string | undefined): readonly string[] | undefined => {
  if (digest === undefined) return undefined;
  const parsed = parseLocation(to);
  const beside = parsed.kind === "registry" ? [parsed.reference] : [];
  const places = [...(said === undefined ? [] : [parseReference(said)]), ...beside].map(({ registry, repository }) =>
    registryName({ registry, repository, digest: digest as Descriptor["digest"] }),
  );
  return places.length === 0 ? undefined : [...new Set(places)];
};

/** What somebody wrote into an image, as a place on a registry: `oci:80/app` by itself would be a directory here. */
const registryName = (reference: Reference): string => {
  const { registry, repository } = reference;
  const isOne = parseLocation(formatReference({ registry, repository })).kind === "registry";
  return `${isOne ? "" : "docker://"}${formatReference(reference)}`;
};

const firstOf = async (find: (name: string) => Promise<Found>, names: readonly string[]): Promise<Found> => {
  const [name = "", ...others] = names;
  try {
    return await find(name);
  } catch (error) {
    if (others.length === 0 || !isDrayError(error, "NOT_FOUND", "DENIED", "UNAUTHORIZED")) throw error;
    return firstOf(find, others);
  }
};

/** How the base is called in annotations: as it was named, where that is on a registry. */
const nameOf = (location: string): string | undefined => {
  return parseLocation(location).kind === "registry" ? location.replace(/^docker:\/\//, "") : undefined;
};
