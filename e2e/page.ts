/** What a page of `docs/` marks for its tests: `<!-- run NAME -->` before commands, `<!-- file NAME -->` before a file. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const page = readFileSync(fileURLToPath(new URL("../docs/operating.md", import.meta.url)), "utf8");

const marked = (kind: "run" | "file"): ReadonlyMap<string, string> =>
  new Map(
    [...page.matchAll(new RegExp(`^<!-- ${kind} (\\w+) -->\\n\`\`\`\\n(.*?)^\`\`\`$`, "gms"))].map(
      ([, name = "", text = ""]) => [name, text],
    ),
  );

/** Files as the page has them, by name. */
export const files: ReadonlyMap<string, string> = marked("file");

/** Commands as the page has them, without what marks them as such, by the name of their block. */
export const blocks: ReadonlyMap<string, string> = new Map(
  [...marked("run")].map(([name, text]) => [name, text.replaceAll(/^\$ /gm, "")]),
);
