import { ageText } from "@dray/policy";
import type { OutdatedImage } from "@dray/watch";
import { familiar } from "dray/oci";

const titles = ["IMAGE", "RUNNING", "NEWEST", "AGE", "STEP", "WHERE"];

/** A line for each image, below titles; nothing where there is none. */
export const outdatedTable = (images: readonly OutdatedImage[], now: number): string[] => {
  if (images.length === 0) return [];
  const rows = images.map(({ image, state, running, newest, step }) => {
    const { registry, repository } = image.reference;
    const [first = "", ...others] = image.places;
    const isSame = newest !== undefined && newest.tag === running.tag;
    return [
      familiar({ registry, repository }),
      named(running.tag ?? short(running.digest), running.meaning, isSame ? running.digest : undefined),
      newest === undefined ? "-" : named(newest.tag, newest.meaning, isSame ? newest.digest : undefined),
      newest?.created === undefined ? "-" : ageText(now - newest.created.getTime()),
      step ?? (state === "outdated" ? "-" : state),
      others.length === 0 ? first : `${first} and ${others.length} more`,
    ];
  });
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  return [titles, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
};

/** `latest (1.27.3)`; where the tag stays and has no meaning, what it names: `edge@0a1b2c3d4e5f`. */
const named = (tag: string, meaning: string | undefined, digest: string | undefined): string =>
  meaning !== undefined ? `${tag} (${meaning})` : digest === undefined ? tag : `${tag}@${short(digest)}`;

const short = (digest = ""): string => digest.replace(/^[a-z0-9]+:/, "").slice(0, 12);
