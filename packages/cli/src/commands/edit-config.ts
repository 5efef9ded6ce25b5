import type { JsonObject } from "dray/content";
import { edit, type Image, platformOf } from "dray/image";
import { type ChangingOptions, changeImage, changingFlags, chosenImage, withEditor } from "../changing/index.ts";
import type { Act, Define } from "../context.ts";

export const define: Define = (command) =>
  changingFlags(command.argument("<image>", "a reference, or a location such as oci:DIR:NAME"), {
    file: false,
  }).addHelpText(
    "after",
    "\nThe new configuration comes from standard input, or at a terminal from $EDITOR. White space is taken out.",
  );

export const examples: readonly string[] = [
  "dray edit config registry.example.com/team/app:1.0",
  "dray edit config -t ghcr.io/acme/app:1.1 ghcr.io/acme/app:1.0 < config.json",
];

/** Of an index one image is edited, which `--platform` names if there are several; the index stays. */
export const act: Act<ChangingOptions> = (call, [name = ""]) =>
  withEditor(call, (letEdit) =>
    changeImage(
      call,
      name,
      async ({ view, source }) => {
        const image = await chosenImage(call, view, source.location);
        const config = await letEdit(await image.configBytes(), "configuration");
        const { layers } = await image.manifest();
        const ids = (config["rootfs"] as { diff_ids?: readonly unknown[] } | undefined)?.diff_ids?.length ?? 0;
        if (ids !== layers.length)
          call.reporter.warn(
            `the configuration has ${ids} diff_ids for ${layers.length} layers, so the image does not run`,
          );
        const { digest } = image.descriptor;
        // What an index says of it follows.
        const platform = platformOf(config);
        const entry = (before: JsonObject): JsonObject =>
          before["platform"] === undefined || platform === undefined ? before : { ...before, platform };
        const change = (each: Image) =>
          each.descriptor.digest === digest ? { config: () => config, entry } : undefined;
        return edit(view, { image: change }, { signal: call.signal });
      },
      { print: "name" },
    ),
  );
