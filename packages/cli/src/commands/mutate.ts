import { allOf, appended, edit } from "dray/image";
import {
  additionsFor,
  changeImage,
  changesOf,
  changingFlags,
  type MutateOptions,
  mutateFlags,
} from "../changing/index.ts";
import type { Act, Define } from "../context.ts";

export const define: Define = (command) => {
  command.argument("<image>", "a reference, or a location such as oci:DIR:NAME");
  for (const flag of mutateFlags()) command.addOption(flag);
  return changingFlags(command, { repo: true }).addHelpText(
    "after",
    "\nOf an index every image is changed, or those that --platform names; the index stays one.",
  );
};

export const examples: readonly string[] = [
  "dray mutate --env PORT=80 --user 1000 -t ghcr.io/acme/app:1.1 app:1.0",
  "dray mutate --label team=a --remove-label old ghcr.io/acme/app:1.0",
  "dray mutate --media-types oci -a index:team=a ghcr.io/acme/app:1.0",
];

export const act: Act<MutateOptions> = async (call, [image = ""]) => {
  const { options, signal } = call;
  const { append: paths = [] } = options;
  await changeImage(call, image, async ({ source, view, bench }) => {
    const change = await changesOf(call, source.store, view);
    if (paths.length === 0) return edit(view, change, { platforms: options.platform, signal });
    const additions = additionsFor(call, await bench(), "mutate", { paths });
    return edit(view, allOf(appended(additions), change), { platforms: options.platform, signal });
  });
};
