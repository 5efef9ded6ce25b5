import type { Act, Define } from "../context.ts";
import { onePlatform } from "../flags.ts";
import { imageManifestOf, openedToRead } from "../images.ts";

export const define: Define = (command) =>
  command.argument("<image>", "a reference, or a location such as oci:DIR:NAME");

export const examples: readonly string[] = [
  "dray config alpine:3.20",
  "dray config --platform linux/arm64 alpine:3.20",
];

/** Raw bytes and no newline of ours. */
export const act: Act = async (call, [image = ""]) => {
  const located = await openedToRead(call, image);
  const { config } = await imageManifestOf(call, located, onePlatform(call.options));
  for await (const chunk of located.store.read(config, { signal: call.signal })) await call.out.bytes(chunk);
};
