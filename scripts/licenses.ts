/** The licences of what others wrote and is in what goes out, as they ask: each text once, below the packages that it is of. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./runtimes.ts";

/** The folder of the package that a file of a bundle is from, from the root of the workspace; none: it is ours. */
export const packageFolder = (file: string): string | undefined =>
  /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0];

/**
 * @param folders of packages, from the root of the workspace. One that is not installed here, or has no text of its own, is told by its name
 * and what its manifest calls the licence.
 */
export const licensesOf = (folders: Iterable<string>): string => {
  const packagesOf = new Map<string, string[]>();
  for (const folder of [...new Set(folders)].sort()) {
    const manifest = join(root, folder, "package.json");
    if (!existsSync(manifest)) throw new Error(`${folder} is not installed: its licence is not known`);
    const { name, version, license = "a licence that it does not name" } = JSON.parse(readFileSync(manifest, "utf8"));
    const texts = readdirSync(join(root, folder))
      .filter((file) => /^(?:licen[cs]e|copying|notice)/i.test(file))
      .sort()
      .map((file) =>
        readFileSync(join(root, folder, file), "utf8")
          .replaceAll("\r\n", "\n")
          .trim(),
      );
    const text = texts.length > 0 ? texts.join("\n\n") : `Under ${String(license)}; the package carries no text of it.`;
    packagesOf.set(text, [...(packagesOf.get(text) ?? []), `${name} ${version}`]);
  }
  const parts = [...packagesOf].map(([text, packages]) => `${packages.join(", ")}\n\n${text}\n`);
  return parts.join(`\n${"-".repeat(80)}\n\n`);
};
