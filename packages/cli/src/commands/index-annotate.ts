import { DrayError } from "dray/errors";
import { annotated, edit, entriesAnnotated } from "dray/image";
import {
  changeIndex,
  changingFlags,
  type EntryOptions,
  matcherOf,
  stringToString,
  textChange,
} from "../changing/index.ts";
import type { Act, Define } from "../context.ts";
import { gather } from "../flags.ts";

interface AnnotateOptions extends EntryOptions {
  readonly annotation?: Readonly<Record<string, string>>;
  readonly removeAnnotation?: readonly string[];
}

export const define: Define = (command) =>
  changingFlags(
    command
      .argument("<index>", "a reference, or a location such as oci:DIR:NAME")
      .option("-a, --annotation <key=value>", "set an annotation", stringToString)
      .option("--remove-annotation <key>", "take an annotation away", gather)
      .option("--digest <digest>", "not of the index, but of what it says of this entry; again for several", gather),
    { file: false },
  ).addHelpText("after", "\nWith --platform or --digest the entries that these name are annotated, else the index.");

export const examples: readonly string[] = [
  "dray index annotate -a org.example.team=a registry.example.com/team/app:1.0",
  "dray index annotate --platform linux/arm64 -a tested=yes ghcr.io/acme/app:1.0",
];

/** What the entries name stays as it is, and so do its digest and its attestations. */
export const act: Act<AnnotateOptions> = async (call, [name = ""]) => {
  const { options, signal } = call;
  const annotations = textChange(options.annotation, options.removeAnnotation);
  if (annotations === undefined)
    throw new DrayError("USAGE", "say with --annotation what is set, or with --remove-annotation what is taken away");
  const matcher = matcherOf(options);
  const change =
    matcher === undefined ? { index: annotated(annotations, ["index"]).index } : entriesAnnotated(matcher, annotations);
  await changeIndex(call, name, (index) => edit(index, change, { signal }));
};
