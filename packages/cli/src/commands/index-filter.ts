import { DrayError } from "dray/errors";
import { byPlatform, edit, entriesKept } from "dray/image";
import { changeIndex, changingFlags, type IndexOptions } from "../changing/index.ts";
import type { Act, Define } from "../context.ts";

export const define: Define = (command) =>
  changingFlags(command.argument("<index>", "a reference, or a location such as oci:DIR:NAME"), { file: false });

export const examples: readonly string[] = [
  "dray index filter --platform linux/amd64 -t ghcr.io/acme/app:small app:1.0",
  "dray index filter --platform linux registry.example.com/team/app:1.0",
];

/** Keeps the platforms that the flags name, with their attestations and the artifacts about them. */
export const act: Act<IndexOptions> = async (call, [name = ""]) => {
  const { platform = [] } = call.options;
  if (platform.length === 0)
    throw new DrayError(
      "USAGE",
      "say with --platform what is kept, such as linux, linux/amd64 or windows/amd64:10.0.17763",
    );
  await changeIndex(call, name, (index) => edit(index, entriesKept(byPlatform(...platform)), { signal: call.signal }));
};
