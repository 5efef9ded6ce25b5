import { type Located, type ReadableStore, selectPlatforms } from "dray/content";
import { DrayError } from "dray/errors";
import { emptyIndex, entriesAppended, type Image, type ImageIndex, viewOf } from "dray/image";
import { changeIndex, changingFlags, type IndexOptions, stringSlice } from "../changing/index.ts";
import type { Act, Call, Define } from "../context.ts";
import { opened } from "../images.ts";
import { calling } from "../typed-as.ts";

interface AppendOptions extends IndexOptions {
  readonly manifest?: readonly string[];
  readonly dockerEmptyBase?: boolean;
  readonly flatten?: string | boolean;
}

export const define: Define = (command) =>
  changingFlags(
    command
      .argument("[base]", "the index to begin with (default: an empty one)")
      .argument("[images...]", "as --manifest")
      .option("-m, --manifest <images>", "what is appended; again or with commas for several", stringSlice)
      .option("--docker-empty-base", "where no base is named: a Docker manifest list, and no OCI index")
      .option("--flatten", "append each entry of an index, and not the index (default)")
      .option("--no-flatten", "append an index as one entry"),
    { file: false },
  );

export const examples: readonly string[] = [
  "dray index append -m app:1-amd64 -m app:1-arm64 -t ghcr.io/acme/app:1",
  "dray index append ghcr.io/acme/app:1 -m ghcr.io/acme/app:1-riscv64",
];

export const act: Act<AppendOptions> = async (call, [base, ...images]) => {
  const { options, signal } = call;
  const { manifest = [], tag, dockerEmptyBase = false } = options;
  const names = [...manifest, ...images];
  if (base === undefined && tag === undefined)
    throw new DrayError("USAGE", "say with --tag where the index goes, or name one that there is");
  if (names.length === 0) throw new DrayError("USAGE", "say with --manifest what is appended");
  if (base !== undefined && dockerEmptyBase)
    throw new DrayError("USAGE", "--docker-empty-base: that is for where no base is named; leave it out");
  const given = base === undefined ? await nothing(dockerEmptyBase) : undefined;
  await changeIndex(
    call,
    base ?? tag ?? "",
    async (index) => {
      const more: (Image | ImageIndex)[] = [];
      for (const name of names) more.push(await viewed(call, name));
      return entriesAppended(index, more, { flatten: options.flatten !== false, signal });
    },
    given,
  );
};

const nothing = async (docker: boolean): Promise<Located<ReadableStore>> => {
  const { store, descriptor } = await emptyIndex({ form: docker ? "docker" : "oci" });
  return { store, name: descriptor.digest, location: "memory:" };
};

/** What a name stands for; of an index only the platforms that the flags name, if they do. */
const viewed = async (call: Call<AppendOptions>, image: string): Promise<Image | ImageIndex> => {
  const { signal, options } = call;
  const { store, name, location } = await opened(call, image);
  const found = await store.resolve(name, { signal, toRead: true });
  const selected = await selectPlatforms(store, found, options.platform ?? [], { signal, called: location });
  return calling(image, () => viewOf(selected.store, selected.root, { signal }));
};
