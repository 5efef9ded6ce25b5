import { DrayError, isDrayError, reasonOf, throwIfAborted } from "dray/errors";
import { parseReference } from "dray/oci";
import type { Call } from "./context.ts";
import { namesNoRegistry } from "./local-names.ts";
import { type EndOptions, registriesFor } from "./registries.ts";

/**
 * The location that a name without a registry stands for, where `--short-names` says so: its alias, else the first registry of the search list that
 * has it. Anything else stays as it is, and is Docker Hub's.
 * @throws DrayError `USAGE` where it may be of several and the files want that to be said; `NOT_FOUND` where none has it
 */
export const longNameOf = async (call: Call<EndOptions>, text: string): Promise<string> => {
  if (call.options.shortNames !== true || !namesNoRegistry(text)) return text;
  const { shortNames, connectToRead } = await registriesFor(call);
  const { aliases, unqualifiedSearch, shortNameMode } = shortNames;
  const [, name = text, rest = ""] = /^([^:@]+)(.*)$/s.exec(text) ?? [];
  const alias = aliases.get(name);
  if (alias !== undefined) return alias + rest;
  const candidates = unqualifiedSearch.map((registry) => `${registry}/${text}`);
  if (candidates.length < 2) return candidates[0] ?? text;
  if (shortNameMode === "enforcing")
    throw new DrayError(
      "USAGE",
      `"${text}" names no registry and may be any of ${candidates.join(", ")}: write it whole`,
    );
  const failures: string[] = [];
  for (const candidate of candidates)
    try {
      const { registry, repository, tag, digest } = parseReference(candidate);
      await connectToRead(registry)
        .repository(repository)
        .resolve(digest ?? tag ?? "", { signal: call.signal });
      return candidate;
    } catch (error) {
      throwIfAborted(call.signal);
      if (!isDrayError(error)) throw error;
      failures.push(reasonOf(error));
    }
  throw new DrayError("NOT_FOUND", `none of ${candidates.join(", ")} was found: ${failures.join("; ")}`);
};
