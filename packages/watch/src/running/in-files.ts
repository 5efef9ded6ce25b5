import type { FileReferences, PlaceKind } from "@dray/references";
import { merged, type RunningImage } from "./running-image.ts";

/** What a service will be called once it is built, and features of development containers, are no images that run. */
const notRunning = new Set<PlaceKind>(["built", "feature"]);

/** The images that files name. One whose variables have no value is left out: nobody knows what it is. */
export const runningInFiles = (files: Iterable<FileReferences>): RunningImage[] => {
  const images: RunningImage[] = [];
  for (const { name, references } of files)
    for (const { kind, text, reference, line, column } of references) {
      // A chart without a tag means its own version, a kustomization that of its resources.
      const isOpen = reference?.tag === undefined && reference?.digest === undefined;
      if (reference === undefined || isOpen || notRunning.has(kind)) continue;
      const digests = reference.digest === undefined ? [] : [reference.digest];
      images.push({ image: text, reference, digests, places: [`${name}:${line}:${column}`] });
    }
  return merged(images);
};
