import { type Client, type ImageEntry, parseRepository, type TagList } from "@dray/watch";
import { DrayError, throwIfAborted } from "dray/errors";

/** What a client answers. An error is thrown. What changes between two calls is seen by the second. */
export interface MockAnswers {
  /** Default `registry.example/team/app`. */
  repository?: string;
  /** Default: the names of `entries`. */
  tags?: readonly string[] | TagList | Error;
  /** By tag. One that is not here is `NOT_FOUND`. */
  entries?: Readonly<Record<string, ImageEntry | Error>>;
}

/** What a client was asked. */
export interface MockCall {
  readonly kind: "tags" | "digest" | "manifest";
  readonly tag?: string;
}

/** A client that remembers what it was asked. */
export interface MockClient extends Client {
  readonly calls: readonly MockCall[];
}

/**
 * A client that answers what it was told, without any registry.
 * @example
 * const client = mockClient({ entries: { v1: { info: { id: "registry.example/team/app:v1", digest } }, v2: new Error("broken") } });
 * assert.deepEqual((await client.tags()).tags, ["v1", "v2"]);
 */
export const mockClient = (answers: MockAnswers = {}): MockClient => {
  const calls: MockCall[] = [];
  const repository = parseRepository(answers.repository ?? "registry.example/team/app");
  const entryOf = (kind: MockCall["kind"], tag: string, signal: AbortSignal | undefined): ImageEntry => {
    calls.push({ kind, tag });
    throwIfAborted(signal);
    const { entries = {} } = answers;
    const entry = Object.hasOwn(entries, tag) ? entries[tag] : undefined;
    if (entry === undefined) {
      const reference = `${repository.text}:${tag}`;
      throw new DrayError("NOT_FOUND", `there is no ${reference}`, { status: 404, reference });
    }
    return answered(entry);
  };
  return {
    repository,
    calls,
    tags: async ({ signal } = {}) => {
      calls.push({ kind: "tags" });
      throwIfAborted(signal);
      const list = answered(answers.tags ?? Object.keys(answers.entries ?? {}));
      return "complete" in list ? list : { tags: list, complete: true, faults: [] };
    },
    digest: async (tag, { signal } = {}) => {
      const { info, excluded } = entryOf("digest", tag, signal);
      const digest = (info ?? excluded)?.digest;
      if (digest === undefined) throw new DrayError("REGISTRY", `nobody said which digest ${tag} has`);
      return digest;
    },
    manifest: async (tag, { signal } = {}) => entryOf("manifest", tag, signal),
  };
};

const answered = <T>(answer: T | Error): T => {
  if (answer instanceof Error) throw answer;
  return answer;
};
