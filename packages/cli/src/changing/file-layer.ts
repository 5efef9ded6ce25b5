import { DrayError } from "dray/errors";
import {
  type Addition,
  appended,
  type Edited,
  edit,
  type FileInTar,
  filesTar,
  type Image,
  ingestLayer,
  type NewLayer,
} from "dray/image";
import { LazyMap } from "dray/internal/async";
import type { Call } from "../context.ts";
import type { Changing, ChangingOptions } from "./change-image.ts";

/** A layer of these entries on top of an image, or of each that is meant of an index; none where there are no entries. Each is made once. */
export const layered = async (
  { options, signal, reporter }: Call<ChangingOptions>,
  { view, bench }: Changing,
  createdBy: string,
  entriesOf: (image: Image) => Promise<readonly FileInTar[]>,
): Promise<Edited> => {
  const store = await bench();
  const layers = new LazyMap<string, NewLayer>();
  let changed = 0;
  const change = appended(async (image): Promise<readonly Addition[]> => {
    const entries = await entriesOf(image);
    if (entries.length === 0) return [];
    changed++;
    const windows = (await image.config()).os === "windows";
    // What files hold is the same in all.
    const key = JSON.stringify([windows, entries.map(({ content: _content, ...entry }) => entry)]);
    const tar = filesTar(windows ? belowFiles(entries) : entries);
    const how = { windows, what: "the new layer", signal, onEvent: reporter.onEvent };
    const layer = await layers.get(key, () => ingestLayer(store, tar, how));
    return [{ layer, history: { created_by: createdBy } }];
  });
  const edited = await edit(view, change, { platforms: options.platform, signal });
  if (changed === 0) reporter.note("nothing was changed: the image has that file already");
  return edited;
};

const filesOfWindows = "Files/";

/** The same for the form that layers of Windows are given, which puts them back below that folder. */
const belowFiles = (entries: readonly FileInTar[]): readonly FileInTar[] =>
  entries
    .filter(({ name }) => name !== filesOfWindows)
    .map((entry) => {
      if (entry.name.startsWith(filesOfWindows)) return { ...entry, name: entry.name.slice(filesOfWindows.length) };
      throw new DrayError("USAGE", `/${entry.name}: the files of an image for Windows lie below /${filesOfWindows}`);
    });
