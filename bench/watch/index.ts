/** A watch over thousands of repositories: `npm run bench -- watch`. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { measure } from "../measure.ts";
import type { Measurement } from "../measurements.ts";
import { within } from "../registries.ts";
import { startMadeUp } from "./start-made-up.ts";

const program = fileURLToPath(new URL("scan.ts", import.meta.url));

/** Tags of each repository. */
const tags = 400;

const scans = [
  ["first scan, each tag looked into", "due"],
  ["rescan without news", "list"],
  ["rescan where one tag is new and one has moved", "list"],
  ["rescan of what each tag names", "all"],
] as const;

/** `--full`: 5,000 repositories with 2,000,000 tags; without it a tenth of that. */
const scan: Measurement["run"] = async ({ full, say }) => {
  const repositories = full ? 5_000 : 500;
  const registry = await startMadeUp({ repositories, tags });
  try {
    await within(async (dir) => {
      const path = join(dir, "watch.db");
      say(`### ${repositories} repositories of ${tags} tags, from a registry of their own\n`);
      say("| scan | wall s | CPU s | peak MiB | requests a repository | file MiB |\n|---|---|---|---|---|---|");
      for (const [title, what] of scans) {
        if (title.includes("one tag is new")) {
          await registry.add("r/1", "99.0.0");
          await registry.move("r/2", "1.0.1");
        }
        await registry.asked();
        const { wall, cpu, peak } = await measure([
          process.execPath,
          program,
          registry.host,
          path,
          `${repositories}`,
          what,
        ]);
        const { list, head, get, blob, other } = await registry.asked();
        const each = (list + head + get + blob + other) / repositories;
        const size = statSync(path).size / 2 ** 20;
        say(
          `| ${title} | ${wall.toFixed(1)} | ${cpu.toFixed(1)} | ${peak.toFixed(0)} | ${each.toFixed(2)} | ${size.toFixed(1)} |`,
        );
      }
      say("");
    });
  } finally {
    registry.close();
  }
};

export const watch: Readonly<Record<string, Measurement>> = { "watch-scan": { run: scan } };
