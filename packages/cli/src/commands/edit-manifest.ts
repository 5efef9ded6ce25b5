import { edit, type Image } from "dray/image";
import { type ChangingOptions, changeImage, changingFlags, withEditor } from "../changing/index.ts";
import type { Act, Define } from "../context.ts";
import { onePlatform } from "../flags.ts";

interface EditManifestOptions extends ChangingOptions {
  readonly mediaType?: string;
}

export const define: Define = (command) =>
  changingFlags(
    command
      .argument("<image>", "a reference, or a location such as oci:DIR:NAME")
      .option("-m, --media-type <type>", "media type that it gets"),
    { file: false },
  ).addHelpText(
    "after",
    "\nThe new manifest comes from standard input, or at a terminal from $EDITOR. White space is taken out.",
  );

export const examples: readonly string[] = [
  "dray edit manifest registry.example.com/team/app:1.0",
  "dray edit manifest --platform linux/arm64 registry.example.com/team/app:1.0",
];

/** Of an index that itself is edited, or the manifest of the image that `--platform` names; then the index stays, and names the new one. */
export const act: Act<EditManifestOptions> = (call, [name = ""]) =>
  withEditor(call, (letEdit) =>
    changeImage(
      call,
      name,
      async ({ view }) => {
        const { options, signal } = call;
        const platform = onePlatform(options);
        const meant = platform === undefined || view.kind === "image" ? view : await view.image(platform);
        const typed = await letEdit(await meant.bytes(), "manifest");
        const { mediaType } = options;
        const document = mediaType === undefined ? typed : { ...typed, mediaType };
        if (meant.kind === "index")
          return edit(meant, { index: (before, { depth }) => (depth === 0 ? document : before) }, { signal });
        const { digest } = meant.descriptor;
        const change = (each: Image) => (each.descriptor.digest === digest ? { manifest: () => document } : undefined);
        return edit(view, { image: change }, { signal });
      },
      { print: "name" },
    ),
  );
