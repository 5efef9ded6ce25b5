import { writeFile } from "node:fs/promises";
import type { Located } from "dray/content";
import { DrayError } from "dray/errors";
import type { Act, Define } from "../context.ts";
import { localImage } from "../detect.ts";
import { wantsEstargz } from "../estargz.ts";
import { outputFlag, positive } from "../flags.ts";
import { digestReference, referenceOf } from "../images.ts";
import { registriesFor } from "../registries.ts";
import { refuseSwappedPush } from "../swapped.ts";
import { type MovingOptions, moveAll, reportMoved } from "../transfer-report.ts";

interface PushOptions extends MovingOptions {
  readonly index?: boolean;
  readonly imageRefs?: string;
}

export const define: Define = (command) =>
  command
    .argument(
      "<path>",
      "an OCI layout (directory), a docker or OCI archive (file), - for an archive on stdin, or a location such as oci:DIR:NAME or docker-daemon:NAME",
    )
    .argument("<image>", "the reference to push it as")
    .option("--index", "push everything in the layout as one index")
    .option("--force", "ask for every piece of content and write every manifest again: mends what has lost some of it")
    .option("--image-refs <file>", "write the reference by digest to this file too")
    .option(
      "-j, --jobs <count>",
      "bodies in flight at the same time (default 4 large ones, or up to 32 small ones)",
      positive,
    )
    .addOption(outputFlag());

export const examples: readonly string[] = [
  "dray push image.tar registry.example.com/team/app:1.0",
  "docker save app | dray push - registry.example.com/team/app:1.0",
];

/** Prints what was pushed by its digest, as crane does. */
export const act: Act<PushOptions> = async (call, [path = "", image = ""]) => {
  const { options, out } = call;
  await refuseSwappedPush(path, image);
  const reference = referenceOf(image);
  const began = performance.now();
  const { connect, engine } = await registriesFor(call);
  const { stdin, signal } = call;
  const source = await localImage(path, { index: options.index === true, stdin, engine, signal });
  const repository = connect(reference.registry).repository(reference.repository);
  const target: Located = { store: repository, name: reference.digest ?? reference.tag ?? "", location: image };
  const result = await moveAll(call, [{ source, target }], wantsEstargz(call.env) ? { layers: "estargz" } : {});
  const [outcome] = result.outcomes;
  if (outcome?.root !== undefined) {
    const pushed = digestReference(reference, outcome.root);
    if (options.output !== "json") await out.line(pushed);
    if (options.imageRefs !== undefined) await writeRefs(options.imageRefs, pushed);
  }
  await reportMoved(call, result, "pushed", began);
};

/** Without a newline at the end: scripts read the whole file as one reference. */
const writeRefs = async (file: string, text: string): Promise<void> => {
  try {
    await writeFile(file, text, { mode: 0o600 });
  } catch (cause) {
    throw new DrayError("DISK", `cannot write --image-refs ${file}: ${(cause as Error).message}`, { cause });
  }
};
