import type { Digest } from "dray/oci";
import type { HttpClient } from "./http.ts";
import type { Ledger } from "./ledger.ts";
import { referrersOf, tagsOf } from "./live.ts";
import { pullManifest, pullWhole } from "./push.ts";

/** What was looked at. */
export interface Verified {
  readonly tags: number;
  readonly manifests: number;
  readonly faults: readonly string[];
}

/** Compares a registry that nobody writes to with what its clients know, and writes down what was open. */
export const verifyLedger = async (
  http: HttpClient,
  ledger: Ledger,
  repositories: readonly string[],
  /** Tags that are none of the ledger's. */
  others: readonly string[] = [],
): Promise<Verified> => {
  const faults: string[] = [];
  const seen = new Set<string>();
  const there = new Map<string, Set<string>>(repositories.map((name) => [name, new Set()]));
  let tags = 0;
  const checkWhole = async (repository: string, digest: Digest, what: string): Promise<void> => {
    const missing = await pullWhole(http, repository, digest, seen);
    if (ledger.isWhole(repository, digest)) faults.push(...missing.map((one) => `${what}: there is no ${one}`));
  };
  for (const { repository, tag, may } of ledger.tags()) {
    tags++;
    const found = await pullManifest(http, repository, tag);
    if (!may.has(found?.digest)) {
      faults.push(`${repository}:${tag} is ${found?.digest}; it may be ${[...may].join(" or ")}`);
      continue;
    }
    ledger.acknowledge(repository, tag, found?.digest);
    if (found === undefined) continue;
    there.get(repository)?.add(tag);
    await checkWhole(repository, found.digest, `${repository}:${tag}`);
    const referrers = ledger.referrers(repository, found.digest);
    const listed = await referrersOf(http, repository, found.digest);
    for (const referrer of referrers) {
      if (!listed.includes(referrer)) faults.push(`${repository}@${found.digest} has no referrer ${referrer}`);
      await checkWhole(repository, referrer, `referrer of ${repository}:${tag}`);
    }
  }
  for (const [repository, names] of there) {
    const listed = (await tagsOf(http, repository)).filter((tag) => !others.includes(tag));
    const [more, less] = [listed.filter((tag) => !names.has(tag)), [...names].filter((tag) => !listed.includes(tag))];
    if (more.length + less.length > 0)
      faults.push(`tags of ${repository}: too many ${more.join()}, missing ${less.join()}`);
  }
  for (const { repository, digest } of ledger.deleted())
    for (const kind of ["manifests", "blobs"])
      if ((await http.ask("HEAD", `/v2/${repository}/${kind}/${digest}`)).status === 200)
        faults.push(`${repository}@${digest} was deleted and is there`);
  ledger.tidy();
  return { tags, manifests: seen.size, faults };
};
