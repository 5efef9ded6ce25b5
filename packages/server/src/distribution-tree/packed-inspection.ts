import { DrayError, type ErrorCode, isDrayError } from "dray/errors";
import { defined } from "dray/internal/defined";
import type { Digest } from "dray/oci";
import type { Child, Described, Inspection } from "./inspection.ts";

type Kind = Omit<Child, "digest" | "size">;

/**
 * An inspection on its way between threads: objects cost the thread that gets them as much as parsing, so children cross as columns,
 * and members that many share once.
 */
export interface PackedInspection {
  readonly shows: string;
  readonly namesType: boolean;
  readonly isManifest: boolean;
  readonly described: Omit<Described, "references" | "sizes">;
  /** Where they are not its children one for one: schema 1 has none, and a child may be there twice. */
  readonly references: { readonly digests: string; readonly sizes: Float64Array } | undefined;
  readonly digests: string;
  readonly sizes: Float64Array;
  /** Whether sizes are told at all. */
  readonly isSized: boolean;
  readonly kinds: readonly Kind[];
  readonly kindOf: Uint32Array;
  readonly ambiguity: string | undefined;
  readonly fault: { readonly code: ErrorCode | undefined; readonly message: string } | undefined;
}

export const pack = ({ described, children, fault, ...rest }: Inspection): PackedInspection => {
  const { references, sizes, ...few } = described;
  const kinds = new Map<string, number>();
  const all: Kind[] = [];
  const kindOf = new Uint32Array(children.length);
  for (const [i, { mediaType, urls, platform }] of children.entries()) {
    const kind = defined<Kind>({ mediaType, urls, platform });
    const name = JSON.stringify(kind);
    let at = kinds.get(name);
    if (at === undefined) {
      at = all.push(kind) - 1;
      kinds.set(name, at);
    }
    kindOf[i] = at;
  }
  return {
    ...rest,
    described: few,
    references:
      children.length === references.length
        ? undefined
        : { digests: references.join(" "), sizes: Float64Array.from(sizes ?? []) },
    digests: children.map(({ digest }) => digest).join(" "),
    sizes: Float64Array.from(children, ({ size }) => size),
    isSized: sizes !== undefined,
    kinds: all,
    kindOf,
    fault: fault && { code: isDrayError(fault) ? fault.code : undefined, message: fault.message },
  };
};

/** Children are made when somebody asks for them: whoever takes an index as it is asks for none of its thousands. */
export const unpack = (packed: PackedInspection): Inspection => {
  const { shows, namesType, isManifest, ambiguity, fault, isSized } = packed;
  const { digests, sizes } = packed.references ?? packed;
  const described: Described = {
    ...packed.described,
    references: digestsIn(digests),
    ...(isSized ? { sizes: Array.from(sizes) } : {}),
  };
  let children: readonly Child[] | undefined;
  return {
    shows,
    namesType,
    isManifest,
    described,
    get children() {
      children ??= childrenIn(packed);
      return children;
    },
    ambiguity,
    fault: fault && (fault.code === undefined ? new Error(fault.message) : new DrayError(fault.code, fault.message)),
  };
};

const digestsIn = (text: string): Digest[] => (text === "" ? [] : (text.split(" ") as Digest[]));

const childrenIn = ({ digests, sizes, kinds, kindOf }: PackedInspection): Child[] =>
  digestsIn(digests).map((digest, i) => ({
    ...(kinds[kindOf[i] as number] as Kind),
    digest,
    size: sizes[i] as number,
  }));
