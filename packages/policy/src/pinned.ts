import type { Policy } from "./policy/index.ts";

/** A tag, perhaps with a digest. */
export interface TagAndDigest {
  readonly tag: string;
  readonly digest?: string | undefined;
}

/**
 * What a reference says after a choice, by `digestReflectionPolicy`: the tag alone (`Never`, the default), the tag with what it names now (`Always`), or with what
 * it named when it was chosen first, for as long as it stays chosen (`IfNotPresent`).
 * @param before what the reference says until now
 * @example pinnedTo(policy, { tag: "1.2", digest }, { tag: "1.2", digest: earlier }).digest // earlier, if it is IfNotPresent
 */
export const pinnedTo = ({ document }: Policy, chosen: TagAndDigest, before?: TagAndDigest): TagAndDigest => {
  const reflection = document.digestReflectionPolicy ?? "Never";
  if (reflection === "Never") return { tag: chosen.tag };
  const isKept = reflection === "IfNotPresent" && before?.tag === chosen.tag && before.digest !== undefined;
  return isKept ? before : chosen;
};
