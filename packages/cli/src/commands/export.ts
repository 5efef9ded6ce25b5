import { type Located, type ReadableStore, selectOne } from "dray/content";
import { DrayError } from "dray/errors";
import { exportTar, type Image, viewOf } from "dray/image";
import { chunksToFile, nodeFiles } from "dray/internal/files";
import { isIndexType, isLayerType } from "dray/oci";
import type { Act, Call, Define } from "../context.ts";
import { localImage } from "../detect.ts";
import { type ListingOptions, onePlatform, outputFlag } from "../flags.ts";
import { defaultPlatform, openedToRead } from "../images.ts";
import { document } from "../json.ts";
import { calling } from "../typed-as.ts";

export const define: Define = (command) =>
  command
    .argument("<image>", "a reference, a location such as oci:DIR:NAME, or - for what docker saved, on stdin")
    .argument("[file]", "the tar to write; - or nothing is stdout")
    .addOption(outputFlag());

export const examples: readonly string[] = [
  "dray export alpine:3.20 alpine.tar",
  "dray export --platform linux/arm64 alpine:3.20 - | tar t",
  "docker save app | dray export - | tar x -C rootfs",
];

/** As crane: an image of a single blob that is no layer is that blob, without compression. */
export const act: Act<ListingOptions> = async (call, [image = "", file = "-"]) => {
  const { options, signal, out, reporter } = call;
  const isJson = options.output === "json";
  if (file === "") throw new DrayError("USAGE", "the FILE is empty: name the tar to write, or - for stdout");
  if (isJson && file === "-") throw new DrayError("USAGE", "-o json and an archive cannot both go to stdout");
  const located =
    image === "-"
      ? await localImage("-", { index: false, stdin: call.stdin, signal })
      : await openedToRead(call, image);
  await calling(image === "-" ? "standard input" : image, async () => {
    const view = await imageIn(call, located);
    const chunks = await contentOf(view, { signal, onEvent: reporter.onEvent });
    if (file === "-") {
      for await (const chunk of chunks) await out.bytes(chunk);
      return;
    }
    const size = await chunksToFile(nodeFiles, file, chunks);
    if (isJson) await out.line(document({ reference: image, digest: view.descriptor.digest, file, size }));
  });
};

const imageIn = async (
  { options, signal }: Call,
  { store, name, location }: Located<ReadableStore>,
): Promise<Image> => {
  const found = await store.resolve(name, { signal, toRead: true });
  const platform = onePlatform(options) ?? defaultPlatform;
  const chosen = isIndexType(found.mediaType)
    ? await selectOne(store, found, platform, { signal, called: location })
    : { store, root: found };
  const view = await viewOf(chosen.store, chosen.root, { signal });
  if (view.kind === "image") return view;
  throw new DrayError("NOT_FOUND", `${location} has no image`, { reference: location });
};

const contentOf = async (
  image: Image,
  options: NonNullable<Parameters<typeof exportTar>[1]>,
): Promise<AsyncIterable<Uint8Array>> => {
  const [first, ...others] = await image.layers();
  return first === undefined || others.length > 0 || isLayerType(first.descriptor.mediaType)
    ? exportTar(image, options)
    : first.uncompressed(options);
};
