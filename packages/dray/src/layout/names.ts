import type { Cancel } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { type Descriptor, type Digest, type Index, isDigest } from "../oci/index.ts";
import { listNames, namesOf } from "./entries.ts";
import type { LayoutFiles } from "./files.ts";
import type { LayoutGraph } from "./graph.ts";

/** How what holds an index is called in messages, and written as a location. */
type Holder = Pick<LayoutFiles, "what" | "location">;

/** Names that are listed at most in a message. */
const listed = 5;
/** What tools without the referrers API name signatures and the like: `sha256-<hex>`, `sha256-<hex>.sig`. */
const attachedName = /^(sha256|sha512)-([0-9a-f]{64,128})(\.[a-z0-9]+)?$/;

/**
 * What `""` stands for: the only entry of a layout. Several entries of the same content count once, and what is attached to
 * another entry (a signature, an SBOM) does not count beside it.
 * @throws DrayError `NOT_FOUND` when there is none, `USAGE` when there are several
 */
export const onlyEntry = async (
  { what, location }: Holder,
  index: Index,
  graph: LayoutGraph,
  options: Cancel,
): Promise<Descriptor> => {
  const { manifests } = index;
  const [first] = manifests;
  if (first === undefined) throw new DrayError("NOT_FOUND", `${what} is empty`, { reference: location });
  if (new Set(manifests.map(({ digest }) => digest)).size === 1) return first;
  const subjects = await subjectsOf(manifests, graph, options);
  const roots = manifests.filter((entry) => subjects.get(entry.digest) === undefined && !isAttached(entry, manifests));
  const [root] = roots;
  if (root !== undefined && new Set(roots.map(({ digest }) => digest)).size === 1) return root;
  const names = listNames(index);
  throw new DrayError(
    "USAGE",
    `${what} holds ${manifests.length} entries${names.length > 0 ? `: ${some(names)}` : " without names"}; say which: ${location}:${names[0] ?? manifests[0]?.digest}`,
    { reference: location },
  );
};

const subjectsOf = async (
  entries: readonly Descriptor[],
  graph: LayoutGraph,
  options: Cancel,
): Promise<Map<Digest, Digest | undefined>> => {
  const subjects = new Map<Digest, Digest | undefined>();
  const unnamed = entries.filter((entry) => namesOf(entry).length === 0);
  for await (const { descriptor, facts } of graph.below(unnamed, options))
    subjects.set(descriptor.digest, facts.subject);
  return subjects;
};

const isAttached = (entry: Descriptor, entries: readonly Descriptor[]): boolean => {
  const [, algorithm, hex] = attachedName.exec(namesOf(entry)[0] ?? "") ?? [];
  return entries.some(({ digest }) => digest === `${algorithm}:${hex}`);
};

/** The error for a name that a layout does not have. */
export const unknownName = ({ what, location }: Holder, index: Index, name: string): DrayError => {
  const names = listNames(index);
  const has = names.length > 0 ? `it has ${some(names)}` : "its entries have no names";
  const kind = isDigest(name) ? "content" : "name";
  return new DrayError("NOT_FOUND", `${what} has no ${kind} "${name}"; ${has}`, {
    reference: `${location}:${name}`,
  });
};

const some = (names: readonly string[]): string =>
  names.length <= listed ? names.join(", ") : `${names.slice(0, listed).join(", ")} and ${names.length - listed} more`;
