import { DrayError } from "dray/errors";
import {
  type ChangingOptions,
  changeImage,
  changingFlags,
  fileDeleted,
  fileEdited,
  modeOf,
  ownerOf,
  withNewFile,
} from "../changing/index.ts";
import type { Act, Define } from "../context.ts";

interface EditFsOptions extends ChangingOptions {
  readonly filename?: string;
  readonly mode?: number;
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly delete?: boolean;
}

export const define: Define = (command) =>
  changingFlags(
    command
      .argument("<image>", "a reference, or a location such as oci:DIR:NAME")
      .option("-f, --filename <name>", "the file in the image, such as /etc/motd")
      .option("--mode <octal>", "its permissions (default: those it has; of a new file 555, as crane has it)", modeOf)
      .option("--owner <uid:gid>", "whom it belongs to (default: as it is; a new file 0:0)", ownerOf)
      .option("--delete", "take it away, or a directory with all that is in it"),
    { file: false },
  ).addHelpText(
    "after",
    `
The new file comes from standard input, or at a terminal from $EDITOR.
It is a layer on top; directories that are missing are made.
What is there keeps mode, owner, time and attributes. Links are followed inside.
Of an index every image gets it, or those that --platform names.`,
  );

export const examples: readonly string[] = [
  "dray edit fs -f /etc/motd registry.example.com/team/app:1.0",
  "echo hello | dray edit fs -f /etc/motd -t ghcr.io/acme/base:2 ubuntu:24.04",
  "dray edit fs --delete -f /usr/share/doc -t ghcr.io/acme/base:slim ubuntu:24.04",
];

export const act: Act<EditFsOptions> = async (call, [name = ""]) => {
  const { mode, owner, delete: isDeleted = false, filename = "" } = call.options;
  if (filename === "")
    throw new DrayError("USAGE", `-f: say which file of the image is meant: dray edit fs -f /etc/motd ${name}`);
  const wanted = { path: `/${filename.replace(/^\/+/, "")}`, called: name, mode, owner };
  if (isDeleted) {
    if (mode !== undefined || owner !== undefined)
      throw new DrayError("USAGE", `--delete: ${mode === undefined ? "--owner" : "--mode"} is about a file that stays`);
    return changeImage(call, name, (changing) => fileDeleted(call, changing, wanted), { print: "name" });
  }
  return withNewFile(call, (file) =>
    changeImage(call, name, (changing) => fileEdited(call, changing, file, wanted), { print: "name" }),
  );
};
