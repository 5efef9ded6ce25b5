import type { Cancel } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { algorithmOf, type Digest, isDigest } from "../oci/index.ts";
import type { Repo } from "./api.ts";
import { digestSaid, getManifest, manifestCall, mismatch } from "./manifests.ts";

/** How a digest is asked for. */
export interface DigestOptions extends Cancel {
  /** Reads the manifest where HEAD does not tell, which some registries count as a pull. Default: no, it throws. */
  readonly orRead?: boolean | undefined;
}

/**
 * The digest that a tag stands for, by one HEAD.
 * @throws DrayError `NOT_FOUND`, `REGISTRY` where HEAD does not tell
 */
export const digestOfName = async (repo: Repo, name: string, options: DigestOptions = {}): Promise<Digest> => {
  const { signal, orRead = false } = options;
  const call = { ...manifestCall(repo, name, { signal }), method: "HEAD" };
  const read = async (): Promise<Digest> => (await getManifest(repo, name, { signal })).descriptor.digest;
  if (orRead && repo.api.features.head === false) return read();
  const response = await repo.api.send(call);
  const said = digestSaid(response);
  const tells = response.status === 200 && said !== undefined;
  if (response.status !== 200 && !orRead) throw await repo.api.refusal(call, response);
  await response.body.discard();
  if (tells) {
    if (!isDigest(name)) return said;
    if (said !== name && algorithmOf(said) === algorithmOf(name)) throw mismatch(repo, name, said, name);
    return name;
  }
  if (orRead) return read();
  const facts = { status: 200, reference: call.reference, registry: repo.api.registry };
  throw new DrayError(
    "REGISTRY",
    `${facts.registry} tells the digest of ${call.reference} only where it is read`,
    facts,
  );
};
