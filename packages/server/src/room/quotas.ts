import { parseSize } from "@dray/service/config";
import { DrayError } from "dray/errors";
import { repositoryPatterns } from "../access/index.ts";

/** How many bytes each of some repositories may take. */
export interface Quota {
  readonly matches: (repository: string) => boolean;
  readonly bytes: number;
}

/**
 * `team/**=50GiB`; of several that a repository matches the first counts.
 * @throws DrayError `CONFIG_INVALID`
 */
export const parseQuotas = (lines: readonly string[]): readonly Quota[] =>
  lines.map((line) => {
    const [pattern = "", size = "", ...more] = line.split("=");
    const bytes = parseSize(size.trim());
    if (bytes === undefined || more.length > 0)
      throw new DrayError(
        "CONFIG_INVALID",
        `${JSON.stringify(line)} is no quota; write PATTERN=SIZE, as team/**=50GiB`,
      );
    return { matches: repositoryPatterns([pattern.trim()]), bytes };
  });
