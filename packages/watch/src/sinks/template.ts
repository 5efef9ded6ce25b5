import { DrayError, reasonOf } from "dray/errors";
import type Mustache from "mustache";
import { subjectOf, type WatchEvent } from "../events/index.ts";

/** What a template may say of an event, and what it means. */
export const templateFields = {
  id: "the event's id",
  type: "tag.added, tag.moved or tag.removed",
  action: "added, moved or removed",
  added: "whether the tag was added, for sections",
  moved: "whether the tag was moved, for sections",
  removed: "whether the tag was removed, for sections",
  image: "repository and tag",
  repository: "canonical name of the repository",
  tag: "the tag",
  digest: "what the tag names now; empty where it was removed",
  shortDigest: "twelve digits of it",
  previous: "what the tag named before; empty where it was added",
  shortPrevious: "twelve digits of it",
  time: "when it was seen, RFC 3339 in UTC",
} as const;

/** A name that a template may use. */
export type TemplateField = keyof typeof templateFields;

/** A template that was read: makes the text of an event. */
export type Template = (event: WatchEvent) => string;

/**
 * Reads a Mustache template. What is not plain text in it is one of `templateFields`, as `{{image}}` or as a section `{{#previous}}…{{/previous}}`; nothing is
 * escaped, which each sink does in its own way.
 * @throws DrayError `CONFIG_INVALID` for a field that there is not, a partial, and what Mustache cannot read
 * @example (await readTemplate("{{image}} was {{action}}"))(event) // "docker.io/library/alpine:3.22 was added"
 */
export const readTemplate = async (text: string): Promise<Template> => {
  // Loaded when a sink with a text is set up.
  const mustache = (await import("mustache")).default;
  let tokens: unknown;
  try {
    tokens = mustache.parse(text);
  } catch (error) {
    throw new DrayError("CONFIG_INVALID", `the template cannot be read: ${reasonOf(error)}`);
  }
  refuse(tokens as readonly Token[]);
  return (event) => rendered(mustache, text, event);
};

type Token = readonly [kind: string, name: string, ...rest: unknown[]];

const refuse = (tokens: readonly Token[]): void => {
  for (const [kind, name, , , inside] of tokens) {
    if (kind === ">")
      throw new DrayError(
        "CONFIG_INVALID",
        `the template takes in ${name}, and there is nothing that it could take in`,
      );
    if (!["name", "&", "#", "^"].includes(kind)) continue;
    if (!Object.hasOwn(templateFields, name)) {
      const known = Object.keys(templateFields).join(", ");
      throw new DrayError("CONFIG_INVALID", `the template says ${name}, which no event has; there are ${known}`);
    }
    if (Array.isArray(inside)) refuse(inside as Token[]);
  }
};

const short = (digest = ""): string => digest.replace(/^[^:]*:/, "").slice(0, 12);

const rendered = (mustache: typeof Mustache, text: string, event: WatchEvent): string => {
  const { id, type, repository, tag, digest = "", previous = "", time } = event;
  const view: Record<TemplateField, string | boolean> = {
    id,
    type,
    action: type.slice("tag.".length),
    added: type === "tag.added",
    moved: type === "tag.moved",
    removed: type === "tag.removed",
    image: subjectOf(event),
    repository,
    tag,
    digest,
    shortDigest: short(digest),
    previous,
    shortPrevious: short(previous),
    time,
  };
  return mustache.render(text, view, undefined, { escape: String });
};
