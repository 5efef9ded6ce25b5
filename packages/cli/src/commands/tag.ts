import { DrayError } from "dray/errors";
import { isTag } from "dray/oci";
import type { Act, Define } from "../context.ts";
import { opened } from "../images.ts";

export const define: Define = (command) =>
  command
    .argument("<image>", "a reference, or a location such as oci:DIR:NAME")
    .argument("<tag>", "the further name in the same repository")
    .addHelpText("after", "\nExample:\n  dray tag alpine:3.20 stable");

export const act: Act = async (call, [image = "", tag = ""]) => {
  const { signal } = call;
  const { store, name, location } = await opened(call, image);
  if (!isTag(tag))
    throw new DrayError(
      "REFERENCE_INVALID",
      `tag "${tag}": letters, digits, _ . and -, not beginning with . or -; at most 128`,
    );
  const root = await store.resolve(name, { signal });
  await store.tag(root, tag, { signal });
  await store.close();
  call.reporter.summary(`tagged ${location} as ${tag}: ${root.digest}`, { root: root.digest, tag });
};
