import { DrayError, errorIn } from "dray/errors";
import { nearest } from "dray/internal/nearest";
import { type Policy, readPolicy } from "../policy/index.ts";
import { fluxPattern } from "./prefixes.ts";

/** What annotations of a workload say in the words of flux v1. */
export interface FluxAnnotations {
  /** Newer images are wanted. */
  readonly automated: boolean;
  /** Nothing is to be changed, whatever is automated. */
  readonly locked: boolean;
  /** The workload is none of our business. */
  readonly ignore: boolean;
  /** The policy for all containers that have none of their own. */
  readonly all?: Policy;
  /** Policies by the container's name. */
  readonly containers: ReadonlyMap<string, Policy>;
}

const flags = ["automated", "locked", "ignore"] as const;
/** Words of theirs that say nothing about tags. */
const passedOver = ["locked_user", "locked_msg", "sync-checksum", "sync-gc-mark", "antecedent", "helm-release"];
const ours = /^(?:fluxcd\.io|flux\.weave\.works)\/(.*)$/;

/**
 * Reads `fluxcd.io/automated`, `locked`, `ignore`, `tag.CONTAINER` and `tag_all`, `filter.fluxcd.io/CONTAINER`, and the older `flux.weave.works/…`. Annotations of
 * others are passed over.
 * @throws DrayError `USAGE` that names the annotation, and the nearest right word
 * @example (await fluxAnnotations({ "fluxcd.io/tag.app": "semver:^1" })).containers.get("app")
 */
export const fluxAnnotations = async (annotations: Readonly<Record<string, string>>): Promise<FluxAnnotations> => {
  const said = { automated: false, locked: false, ignore: false };
  const containers = new Map<string, Policy>();
  let all: Policy | undefined;
  for (const [key, value] of Object.entries(annotations)) {
    const filter = /^filter\.fluxcd\.io\/(.+)$/.exec(key)?.[1];
    const word = ours.exec(key)?.[1];
    const container = filter ?? /^tag\.(.+)$/.exec(word ?? "")?.[1];
    if (container !== undefined) containers.set(container, await policyOf(key, value));
    else if (word === "tag_all") all = await policyOf(key, value);
    else if (word !== undefined && isFlag(word)) said[word] = truthOf(key, value);
    else if (word !== undefined && !passedOver.includes(word)) throw unknown(key, word);
  }
  return { ...said, containers, ...(all === undefined ? {} : { all }) };
};

const isFlag = (word: string): word is (typeof flags)[number] => (flags as readonly string[]).includes(word);

const policyOf = async (key: string, value: string): Promise<Policy> => {
  try {
    return await readPolicy(fluxPattern(value));
  } catch (error) {
    throw errorIn(`annotation ${key}`, error);
  }
};

const truthOf = (key: string, value: string): boolean => {
  if (value === "true" || value === "false") return value === "true";
  // A workload that is only to be created is none of ours either.
  if (key.endsWith("/ignore") && value === "sync_only") return true;
  throw new DrayError("USAGE", `annotation ${key} is "${value}"; expected "true" or "false"`);
};

const unknown = (key: string, word: string): DrayError => {
  const known = [...flags, "tag_all", "tag.CONTAINER"];
  const close = nearest(word, known);
  const remedy = close === undefined ? `known are ${known.join(", ")}` : `did you mean ${key.replace(word, close)}?`;
  return new DrayError("USAGE", `annotation ${key}: there is no such word; ${remedy}`);
};
