import {
  type countTags,
  type Missing,
  parseRepository,
  type RepositoryState,
  repositoryNamed,
  type WatchFile,
} from "@dray/watch";
import { DrayError } from "dray/errors";
import { familiar } from "dray/oci";

/** A repository that somebody has named, as the file knows it. @throws DrayError `NOT_FOUND`, `REFERENCE_INVALID` */
export const knownNamed = (file: WatchFile, text: string): RepositoryState => {
  const { text: name } = parseRepository(text);
  const known = repositoryNamed(file.statements, name);
  if (known !== undefined) return known;
  throw new DrayError("NOT_FOUND", `nothing is known of ${text} yet; look at it with dray watch scan ${text}`, {
    reference: name,
  });
};

/** What is said of a file that knows no repository. */
export const nothingYet = "no repository is known yet; dray watch scan REPOSITORY begins with one";

/** A repository as people write it. */
export const familiarName = (name: string): string => {
  const { host, namespaceImage } = parseRepository(name);
  return familiar({ registry: host, repository: namespaceImage });
};

/** A moment, for documents. */
export const timeOf = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString();

/** A moment for people: to the second, or `never`. */
export const moment = (ms: number | undefined): string => timeOf(ms)?.replace(/\.\d+/, "") ?? "never";

/** What was not found out, for people. */
export const missingText = ({ what, count, message }: Missing): string =>
  `${{ list: "its tags", tags: count === 1 ? "1 tag" : `${count} tags`, details: "details" }[what]}: ${message}`;

/** How many tags there are, for documents. */
export const countsOf = ({
  tags,
  wanted,
  known,
  gone,
}: ReturnType<typeof countTags>): {
  readonly tags: number;
  readonly selected: number;
  readonly known: number;
  readonly gone: number;
} => ({ tags, selected: wanted, known, gone });
