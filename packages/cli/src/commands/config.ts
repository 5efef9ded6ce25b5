import type { Command } from "commander";
import type { Call } from "../context.ts";
import { onePlatform } from "../flags.ts";
import { imageManifestOf, opened } from "../images.ts";

export const define = (command: Command): void => {
  command.argument("<image>", "a reference, or a location such as oci:DIR:NAME");
};

/** Raw bytes and no newline of ours. */
export const act = async (call: Call, [image = ""]: readonly string[]): Promise<void> => {
  const located = await opened(call, image);
  const { config } = await imageManifestOf(call, located, onePlatform(call.options));
  for await (const chunk of located.store.read(config, { signal: call.signal })) await call.out.bytes(chunk);
};
