import type { Cancel } from "../content/index.ts";
import { DrayError, firstOf } from "../errors.ts";
import { type Descriptor, type Digest, type Index, isDigest, subjectOf } from "../oci/index.ts";
import { listNames, namesOf } from "./entries.ts";
import type { LayoutFiles } from "./files.ts";
import type { LayoutGraph } from "./graph.ts";

/** How what holds an index is called in messages, and written as a location. */
type Holder = Pick<LayoutFiles, "what" | "location">;

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
  if (manifests.every(({ digest }) => digest === first.digest)) return first;
  const others = await aboutOthers(manifests, graph, options);
  const digests = new Set<string>(manifests.map(({ digest }) => digest));
  const roots = manifests.filter((entry) => !others.has(entry.digest) && !isAttached(entry, digests));
  const [root] = roots;
  if (root !== undefined && new Set(roots.map(({ digest }) => digest)).size === 1) return root;
  const names = listNames(index);
  throw new DrayError(
    "USAGE",
    `${what} holds ${manifests.length} entries${names.length > 0 ? `: ${firstOf(names)}` : " without names"}; say which: ${location}:${names[0] ?? manifests[0]?.digest}`,
    { reference: location },
  );
};

/** Unnamed entries that say something about another manifest. */
const aboutOthers = async (
  entries: readonly Descriptor[],
  graph: LayoutGraph,
  options: Cancel,
): Promise<ReadonlySet<Digest>> => {
  const found = new Set<Digest>();
  const unnamed = entries.filter((entry) => namesOf(entry).length === 0);
  for await (const { descriptor, parsed } of graph.below(unnamed, options))
    if (subjectOf(parsed) !== undefined) found.add(descriptor.digest);
  return found;
};

const isAttached = (entry: Descriptor, digests: ReadonlySet<string>): boolean => {
  const [, algorithm, hex] = attachedName.exec(namesOf(entry)[0] ?? "") ?? [];
  return digests.has(`${algorithm}:${hex}`);
};

/** The error for a name that a layout does not have. */
export const unknownName = ({ what, location }: Holder, index: Index, name: string): DrayError => {
  const names = listNames(index);
  const has = names.length > 0 ? `it has ${firstOf(names)}` : "its entries have no names";
  const kind = isDigest(name) ? "content" : "name";
  return new DrayError("NOT_FOUND", `${what} has no ${kind} "${name}"; ${has}`, {
    reference: `${location}:${name}`,
  });
};
