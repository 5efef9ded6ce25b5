import type { Command } from "commander";
import type { Call } from "../context.ts";
import { onePlatform } from "../flags.ts";
import { manifestOf, opened } from "../images.ts";

export const define = (command: Command): void => {
  command.argument("<image>", "a reference, or a location such as oci:DIR:NAME");
};

/** Raw bytes and no newline of ours: what is printed has the digest that is asked for. */
export const act = async (call: Call, [image = ""]: readonly string[]): Promise<void> => {
  const { bytes } = await manifestOf(call, await opened(call, image), onePlatform(call.options));
  await call.out.bytes(bytes);
};
