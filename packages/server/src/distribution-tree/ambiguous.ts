import { isObject } from "dray/oci";

/** Members that decide what a manifest is and needs, of the document and of its descriptors. */
const documentMembers = memberNames("schemaVersion mediaType artifactType config layers manifests fsLayers subject");
const descriptorMembers = memberNames("mediaType digest size urls artifactType");

/**
 * Why programs may read a document in different ways, if they may (what CVE-2021-41190 was made of): a member that is there twice,
 * of which some take the first and some the last, or one that is spelled in other letters, which Go's parser takes for the one it
 * knows and others pass over. What it is not read for is nobody's trouble: annotations and members unknown may be called anything.
 * @param value the same document, parsed within limits of size and depth
 */
export const ambiguityOf = (bytes: Uint8Array, value: unknown): string | undefined => {
  if (!isObject(value)) return undefined;
  const twin = misspelt(value, documentMembers) ?? misspeltBelow(value);
  if (twin !== undefined) return `"${twin}" is a member in other letters`;
  return colonsOf(bytes) === membersOf(value) ? undefined : "a member is there twice";
};

/** By the name that Go folds it to. */
function memberNames(names: string): ReadonlyMap<string, string> {
  return new Map(names.split(" ").map((name) => [folded(name), name]));
}

/** Go folds as Unicode does: the long s and the Kelvin sign are letters of ours as well. */
function folded(name: string): string {
  return name.toLowerCase().replaceAll("\u017f", "s").replaceAll("\u212a", "k");
}

const misspelt = (value: object, known: ReadonlyMap<string, string>): string | undefined => {
  const name = Object.keys(value).find((key) => {
    const meant = key.length > 30 ? undefined : known.get(folded(key));
    return meant !== undefined && meant !== key;
  });
  return name === undefined ? undefined : known.get(folded(name));
};

const misspeltBelow = (value: Readonly<Record<string, unknown>>): string | undefined => {
  for (const part of [value["config"], value["subject"], value["layers"], value["manifests"]])
    for (const descriptor of Array.isArray(part) ? part : [part]) {
      const twin = isObject(descriptor) ? misspelt(descriptor, descriptorMembers) : undefined;
      if (twin !== undefined) return twin;
    }
  return undefined;
};

/** Outside of texts there is one for each member that was written. */
const colonsOf = (bytes: Uint8Array): number => {
  let colons = 0;
  let inText = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inText) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inText = false;
    } else if (byte === 0x22) inText = true;
    else if (byte === 0x3a) colons++;
  }
  return colons;
};

/** Members that are left when each name counts once. */
const membersOf = (value: unknown): number => {
  if (typeof value !== "object" || value === null) return 0;
  const below = Object.values(value);
  return below.reduce((sum: number, one) => sum + membersOf(one), Array.isArray(value) ? 0 : below.length);
};
