import { DrayError } from "dray/errors";
import { edit, entriesRemoved } from "dray/image";
import { changeIndex, changingFlags, type EntryOptions, matcherOf } from "../changing/index.ts";
import type { Act, Define } from "../context.ts";
import { gather } from "../flags.ts";

export const define: Define = (command) =>
  changingFlags(
    command
      .argument("<index>", "a reference, or a location such as oci:DIR:NAME")
      .option("--digest <digest>", "the entry of this digest; again for several", gather),
    { file: false },
  );

export const examples: readonly string[] = [
  "dray index remove --platform windows registry.example.com/team/app:1.0",
  "dray index remove --digest sha256:0f6e… ghcr.io/acme/app:1.0",
];

/** Takes entries out, with their attestations and the artifacts about them. What they name stays where it is. */
export const act: Act<EntryOptions> = async (call, [name = ""]) => {
  const matcher = matcherOf(call.options);
  if (matcher === undefined) throw new DrayError("USAGE", "say with --platform or --digest what is removed");
  await changeIndex(call, name, (index) => edit(index, entriesRemoved(matcher), { signal: call.signal }));
};
