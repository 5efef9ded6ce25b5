import { type ConfigContext, originText, partOf } from "@dray/service/config";
import { defined } from "dray/internal/defined";
import type { FileStorage, StorageSettings } from "./types.ts";

/** What stands in `storage` beside the driver. */
const aside: readonly string[] = ["maintenance", "cache", "delete", "redirect", "tag"];

export const storageOf = (context: ConfigContext): StorageSettings | undefined => {
  const { values, complain } = context;
  const storage = partOf(context, "storage");
  const drivers = [...storage.entries].filter(([name]) => !aside.includes(name));
  const [first, second] = drivers;
  if (first === undefined && values.withFile)
    return complain(
      "storage",
      "no driver is named; add storage.filesystem.rootdirectory with the folder of the data, or say --data DIR",
    );
  if (second !== undefined) {
    const places = drivers.map(([name, { origin }]) => `${name} (${originText(origin)})`);
    return complain(
      "storage",
      `there is room for one driver, and here are ${places.join(", ")}; keep one`,
      second[1].origin,
    );
  }
  // Any other has been refused already.
  const memory = first?.[0] === "inmemory";
  if (memory) return { driver: "inmemory" };
  const root = values.text("storage.filesystem.rootdirectory");
  return defined<FileStorage>({
    driver: "filesystem",
    root,
    durability: values.text("dray.durability") as "full",
    index: values.maybe<string>("dray.index"),
  });
};
