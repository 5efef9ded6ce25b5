import { edit, flattened } from "dray/image";
import {
  type ChangingOptions,
  type CompressionOptions,
  changeImage,
  changingFlags,
  compressionFlags,
  refuseLevel,
} from "../changing/index.ts";
import type { Act, Define } from "../context.ts";

export const define: Define = (command) =>
  changingFlags(
    compressionFlags(command.argument("<image>", "a reference, or a location such as oci:DIR:NAME"), "gzip"),
  ).addHelpText(
    "after",
    "\nOf an index every image is flattened, or those that --platform names; the index stays one.",
  );

export const examples: readonly string[] = [
  "dray flatten registry.example.com/team/app:1.0",
  "dray flatten --compression zstd -t ghcr.io/team/app:flat ghcr.io/team/app:1.0",
];

export const act: Act<ChangingOptions & CompressionOptions> = async (call, [image = ""]) => {
  const { options, signal, reporter } = call;
  const { compression, level, platform: platforms } = options;
  refuseLevel({ compression, level });
  await changeImage(call, image, async ({ view, bench }) => {
    const how = { compression, level, signal, onEvent: reporter.onEvent };
    return edit(view, flattened(await bench(), how), { platforms, signal });
  });
};
