import { isDrayError, reasonOf, throwIfAborted } from "dray/errors";
import type { Clock } from "dray/http";
import { forEachConcurrent } from "dray/internal/async";
import type { Client } from "../client/index.ts";
import type { WatchEvent } from "../events/index.ts";
import type { WatchFile } from "../file/index.ts";
import { keepTimes } from "../ledger/index.ts";
import {
  claim,
  dueTags,
  entryOf,
  type Intervals,
  keepEntry,
  type Looked,
  type Missing,
  nextInterval,
  type RepositoryState,
  recordDigests,
  recordList,
  recordOutcome,
  release,
  repositoryNamed,
  type Selection,
  tagsOf,
} from "../state/index.ts";

/** What a look came to. */
export interface LookResult {
  readonly repository: string;
  /** Whether everything that was to be found out was. */
  readonly complete: boolean;
  /** What was not, and why. */
  readonly missing: readonly Missing[];
  readonly events: readonly WatchEvent[];
  /** Another process looks at it now: nothing was asked. */
  readonly held?: true;
  /** Milliseconds since 1970: the registry lets nobody ask before. */
  readonly notBefore?: number;
}

/** What is looked at, besides what is due. */
export interface LookOptions {
  /** `"list"`: the list, whenever it is due. `"all"`: what every wanted tag names as well. */
  readonly now?: "list" | "all" | undefined;
  /** Tags that somebody has said to have changed; of those that are not selected nothing is asked. */
  readonly tags?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a look stands on. */
export interface LookParts {
  readonly file: WatchFile;
  readonly client: Client;
  readonly selection: Selection;
  /** Of tags that are wanted, the ones whose manifest and configuration are read, most wanted first. */
  readonly details: (tags: readonly string[]) => readonly string[];
  readonly holder: string;
  readonly clock: Clock;
  readonly intervals: { readonly list: Intervals; readonly tag: Intervals };
  /** Tags that are asked for at the same time. */
  readonly concurrency: number;
}

/** Tags between two transactions: what a kill may cost. */
const batch = 200;
/** Failures of the network one after the other after which a registry is taken to be down. */
const mostFailures = 3;
/** Whatever a registry says, it is asked again the next day. Milliseconds. */
export const longestWait = 86_400_000;
/** Codes that are about whoever asks, and hold for every other tag as well. */
const ofAll = ["RATE_LIMITED", "UNAUTHORIZED", "DENIED", "ABORTED"] as const;

/**
 * Looks at one repository: its list where that is due, then what each wanted tag names that is due, then what is to be read of new manifests. What is
 * found out is in the file with each step, so that a look that ends anywhere loses nothing and tells nothing twice. One tag that fails holds up no
 * other; a registry that refuses us or is down ends the look, and what is left stays due.
 */
export const lookAt = async (
  known: RepositoryState,
  parts: LookParts,
  options: LookOptions = {},
): Promise<LookResult> => {
  const { file, holder, clock } = parts;
  const { id, name } = known;
  if (!(await file.write((on) => claim(on, id, holder, clock.now()), options.signal)))
    return { repository: name, complete: false, missing: [], events: [], held: true };
  const look = new Look(parts, known, options);
  try {
    await look.run();
  } catch (error) {
    if (isDrayError(error, "ABORTED")) await file.write((on) => release(on, id, holder));
    throw error;
  }
  return look.finish();
};

class Look {
  readonly #parts: LookParts;
  readonly #id: number;
  readonly #name: string;
  readonly #options: LookOptions;
  readonly #events: WatchEvent[] = [];
  readonly #missing: Missing[] = [];
  #ended: { readonly code: string; readonly message: string; readonly notBefore: number } | undefined;
  #problem: { readonly code: string; readonly message: string } | undefined;
  #failures = 0;

  constructor(parts: LookParts, { id, name }: RepositoryState, options: LookOptions) {
    this.#parts = parts;
    this.#id = id;
    this.#name = name;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { clock } = this.#parts;
    const { now, tags } = this.#options;
    const { listDue, listInterval = 0, selection } = this.#known();
    // A list that is almost due comes along, or tags and list would be two looks for ever.
    const isDue = listDue - listInterval / 10 <= clock.now() || selection !== this.#parts.selection.text;
    if (now !== undefined || isDue) await this.#list();
    if (this.#ended === undefined) await this.#tags(now === "all" ? undefined : tags);
    if (this.#ended === undefined) await this.#details();
  }

  async finish(): Promise<LookResult> {
    const { file, clock, holder } = this.#parts;
    const ended = this.#ended;
    const now = clock.now();
    const missing = this.#missing;
    await file.write((on) => {
      recordOutcome(on, this.#id, { now, missing, problem: ended ?? this.#problem, notBefore: ended?.notBefore });
      release(on, this.#id, holder);
    });
    const result = { repository: this.#name, complete: missing.length === 0, missing, events: this.#events };
    return ended === undefined ? result : { ...result, notBefore: ended.notBefore };
  }

  #known(): RepositoryState {
    return repositoryNamed(this.#parts.file.statements, this.#name) as RepositoryState;
  }

  async #list(): Promise<void> {
    const { file, client, selection, clock, intervals } = this.#parts;
    const { signal } = this.#options;
    const at = clock.now();
    try {
      let list = await client.tags({ signal });
      // Registries in trouble have said so by an empty list before.
      if (list.complete && list.tags.length === 0 && this.#known().listMark !== undefined)
        list = await client.tags({ signal });
      const { tags, complete, faults } = list;
      const { events } = await file.write((on) => {
        const known = this.#known();
        const found = recordList(on, known, { tags, complete, at }, selection);
        const interval = nextInterval(known.listInterval, found.changed, intervals.list);
        on.run(
          "UPDATE repositories SET list_interval = ?, list_due = ? WHERE id = ?",
          interval,
          at + interval,
          this.#id,
        );
        return found;
      }, signal);
      this.#events.push(...events);
      if (!complete) {
        const message = faults.join("; ") || "the list ended before it should";
        this.#missing.push({ what: "list", code: "PARTIAL", message });
        this.#problem = { code: "PARTIAL", message };
      }
    } catch (error) {
      throwIfAborted(signal);
      const { code, message } = factsOf(error);
      this.#missing.push({ what: "list", code, message });
      this.#end(error);
    }
  }

  /** Asks what tags name, in batches, those that have waited longest first. */
  async #tags(named: readonly string[] | undefined): Promise<void> {
    const { file, client, selection, clock, concurrency } = this.#parts;
    const { signal, now } = this.#options;
    const on = file.statements;
    const began = clock.now();
    const all = now === "all" ? tagsOf(on, this.#id, { wanted: true }).map(({ tag }) => tag) : undefined;
    const given = named === undefined ? all : [...new Set(named)].filter((tag) => selection.wants(tag));
    for (let from = 0; ; from += batch) {
      const tags = given === undefined ? dueTags(on, this.#id, began, batch) : given.slice(from, from + batch);
      if (tags.length === 0) break;
      const looked: Looked[] = [];
      await forEachConcurrent(tags, concurrency, async (tag) => {
        if (this.#ended !== undefined) return;
        try {
          const digest = await client.digest(tag, { signal });
          this.#failures = 0;
          looked.push({ tag, digest });
        } catch (error) {
          throwIfAborted(signal);
          if (this.#isOfAll(error)) this.#end(error);
          else looked.push({ tag, ...factsOf(error) });
        }
      });
      const events = await file.write((at) => {
        claim(at, this.#id, this.#parts.holder, clock.now());
        const [repository, seen] = [{ id: this.#id, name: this.#name }, clock.now()];
        const chance = { at: seen, intervals: this.#parts.intervals.tag, chance: () => clock.random() };
        const found = recordDigests(at, repository, looked, chance);
        for (const digest of found.named) keepTimes(at, this.#name, digest, { "first-seen": seen });
        return found.events;
      }, signal);
      this.#events.push(...events);
      if (this.#ended !== undefined) break;
    }
    this.#tellTags();
  }

  /** Of wanted tags, those of which it is not known what they name, by reason. */
  #tellTags(): void {
    const on = this.#parts.file.statements;
    const failing = on.all(
      "SELECT p.code, count(*), min(p.tag), min(p.message) FROM tag_problems p JOIN tags t USING (repository, tag) WHERE p.repository = ? AND t.gone IS NULL AND t.wanted = 1 GROUP BY p.code",
      this.#id,
    );
    for (const [code, count, tag, message] of failing)
      this.#missing.push({
        what: "tags",
        count: Number(count),
        code: String(code),
        message: `${String(tag)}: ${String(message)}`,
      });
    const ended = this.#ended;
    if (ended === undefined) return;
    const [left] = on.get(
      "SELECT count(*) FROM tags WHERE repository = ? AND gone IS NULL AND due <= ?",
      this.#id,
      Math.floor(this.#parts.clock.now() / 1000),
    ) ?? [0];
    if (Number(left) > 0)
      this.#missing.push({ what: "tags", count: Number(left), code: ended.code, message: ended.message });
  }

  /** Reads manifests and configurations that nobody has read yet, as far as they are wanted. */
  async #details(): Promise<void> {
    const { file, client, details, clock } = this.#parts;
    const { signal } = this.#options;
    const on = file.statements;
    const digests = new Map(
      tagsOf(on, this.#id, { wanted: true }).flatMap(({ tag, digest }) =>
        digest === undefined ? [] : [[tag, digest] as const],
      ),
    );
    const open = details([...digests.keys()]).filter((tag) => {
      const digest = digests.get(tag);
      return digest !== undefined && entryOf(on, digest) === undefined;
    });
    const read = new Set<string>();
    for (const tag of open) {
      const digest = digests.get(tag);
      if (digest === undefined || read.has(digest)) continue;
      try {
        const entry = await client.manifest(tag, { digest, signal });
        read.add(digest);
        const isKept = await file.write((at) => {
          claim(at, this.#id, this.#parts.holder, clock.now());
          return keepEntry(at, digest, entry);
        }, signal);
        if (isKept) continue;
        const { reason, message } = entry.excluded ?? { reason: "bad-manifest", message: "" };
        const code = reason === "bad-manifest" ? "MANIFEST_INVALID" : "NOT_FOUND";
        this.#missing.push({ what: "details", count: 1, code, message: `${tag}: ${message}` });
      } catch (error) {
        throwIfAborted(signal);
        const { code, message } = factsOf(error);
        if (!this.#isOfAll(error)) {
          this.#missing.push({ what: "details", count: 1, code, message });
          continue;
        }
        this.#missing.push({ what: "details", count: open.length - read.size, code, message });
        this.#end(error);
        return;
      }
    }
  }

  #isOfAll(error: unknown): boolean {
    if (isDrayError(error, ...ofAll)) return true;
    if (!isDrayError(error, "NETWORK", "TLS", "TIMEOUT")) {
      this.#failures = 0;
      return false;
    }
    return ++this.#failures >= mostFailures;
  }

  /** Nothing more is asked in this look. The next one is after what the registry says, or after a while that grows with the age of the problem. */
  #end(error: unknown): void {
    const { clock, intervals } = this.#parts;
    const { code, message } = factsOf(error);
    const now = clock.now();
    const { problem } = this.#known();
    const age = problem?.code === code ? now - problem.since : 0;
    const wait = Math.min(3_600_000, Math.max(intervals.list.least, age));
    const said = isDrayError(error) && error.retryAfter !== undefined ? error.retryAfter * 1000 : wait;
    this.#ended = { code, message, notBefore: now + Math.min(said, longestWait) };
  }
}

const factsOf = (error: unknown): { readonly code: string; readonly message: string } => ({
  code: isDrayError(error) ? error.code : "REGISTRY",
  message: reasonOf(error),
});
