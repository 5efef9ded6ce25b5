import type { Act, Define } from "../context.ts";
import { onePlatform } from "../flags.ts";
import { manifestOf, openedToRead } from "../images.ts";

export const define: Define = (command) =>
  command.argument("<image>", "a reference, or a location such as oci:DIR:NAME");

export const examples: readonly string[] = ["dray manifest alpine:3.20", "dray manifest oci:mirror:alpine"];

/** Raw bytes and no newline of ours: what is printed has the digest that is asked for. */
export const act: Act = async (call, [image = ""]) => {
  const { bytes } = await manifestOf(call, await openedToRead(call, image), onePlatform(call.options));
  await call.out.bytes(bytes);
};
