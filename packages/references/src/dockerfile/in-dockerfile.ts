import type { PlaceKind } from "../found.ts";
import type { Sink } from "../sink.ts";
import type { ScalarNode } from "../tree/index.ts";
import { expand } from "../variables/index.ts";
import { type Instruction, instructionsOf } from "./instructions.ts";

/** Bases, sources of COPY and of mounts, and the syntax; names of stages, their numbers and `scratch` are no images. */
export const inDockerfile = (text: string, sink: Sink): void => {
  const { syntax, instructions } = instructionsOf(text);
  if (syntax !== undefined && syntax.text !== "")
    sink.whole(
      "syntax",
      { ...literal, text: syntax.text, start: syntax.start, end: syntax.start + syntax.text.length },
      "# syntax",
    );
  const stages = new Set<string>();
  /** COPY may name a stage that comes later. */
  const all = new Set(instructions.map(({ text }) => stageOf(text)).filter((stage) => stage !== undefined));
  const global = new Map<string, string>();
  let local: Map<string, string> | undefined;
  const lookup = (name: string): string | undefined =>
    (local?.has(name) ? sink.variables[name] : undefined) ??
    local?.get(name) ??
    (global.has(name) ? (sink.variables[name] ?? global.get(name)) : undefined);
  const put = (kind: PlaceKind, word: Word, path: string, names: ReadonlySet<string>): void => {
    const bare = expand(word.text, "shell", lookup).text?.toLowerCase();
    if (bare !== undefined && (names.has(bare) || bare === "scratch" || bare === "" || /^\d+$/.test(bare))) return;
    sink.whole(kind, nodeOf(word), path, { dialect: "shell", lookup });
  };
  for (const instruction of instructions) {
    const words = wordsOf(instruction);
    while (/^onbuild$/i.test(words[0]?.text ?? "")) words.shift();
    const name = words.shift()?.text.toUpperCase();
    if (name === "ARG") {
      const into = local ?? global;
      for (const { text: word } of words) {
        const [variable = "", ...rest] = word.split("=");
        const value = rest.length > 0 ? valueOf(rest.join("="), lookup) : global.get(variable);
        if (value !== undefined) into.set(variable, sink.variables[variable] ?? value);
      }
    }
    if (name === "FROM") {
      local = undefined;
      const [image] = words.filter(({ text }) => !text.startsWith("--"));
      if (image !== undefined) put("base", image, "FROM", stages);
      const stage = stageOf(instruction.text);
      if (stage !== undefined) stages.add(stage);
      local = new Map();
    }
    if (name === "COPY")
      for (const word of flagsOf(words)) {
        const from = after(word, /^--from=/);
        if (from !== undefined) put("copy", from, "COPY --from", all);
      }
    if (name === "RUN")
      for (const word of flagsOf(words)) {
        const from = word.text.startsWith("--mount=") ? after(word, /^.*?[=,]from=(?=.)/, /,.*$/) : undefined;
        if (from !== undefined) put("mount", from, "RUN --mount", all);
      }
  }
};

const literal = { type: "scalar", style: "literal", verbatim: true } as const;

const stageOf = (text: string): string | undefined =>
  /^\s*FROM\s+(?:--\S+\s+)*\S+\s+AS\s+(\S+)/i.exec(text)?.[1]?.toLowerCase();

/** What an argument is set to: quotes are no part of it, and between single ones nothing is a variable. */
const valueOf = (written: string, lookup: (name: string) => string | undefined): string | undefined => {
  const literally = /^'([^']*)'$/.exec(written)?.[1];
  return literally ?? expand(written.replace(/["']/g, ""), "shell", lookup).text;
};

/** A word of an instruction, without quotes around it. */
interface Word {
  readonly text: string;
  readonly indexes: readonly number[];
}

const wordsOf = ({ text, indexes }: Instruction): Word[] =>
  [...text.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(({ 0: word, index }) => {
    const isQuoted = /^"[^"]*"$|^'[^']*'$/.test(word);
    const [from, to] = isQuoted ? [index + 1, index + word.length - 1] : [index, index + word.length];
    return { text: text.slice(from, to), indexes: indexes.slice(from, to) };
  });

const flagsOf = (words: readonly Word[]): Word[] => {
  const end = words.findIndex(({ text }) => !text.startsWith("--"));
  return words.slice(0, end < 0 ? words.length : end);
};

/** What follows a pattern, up to another. */
const after = ({ text, indexes }: Word, before: RegExp, rest?: RegExp): Word | undefined => {
  const [found] = before.exec(text) ?? [];
  if (found === undefined) return undefined;
  const kept = text
    .slice(found.length)
    .replace(rest ?? /$/, "")
    .replace(/["']$/, "")
    .replace(/^["']/, "");
  const from = text.indexOf(kept, found.length);
  return kept === "" ? undefined : { text: kept, indexes: indexes.slice(from, from + kept.length) };
};

/** A word that a line's end cuts is written in two pieces. */
const nodeOf = ({ text, indexes }: Word): ScalarNode => {
  const start = indexes[0] ?? 0;
  const end = (indexes.at(-1) ?? 0) + 1;
  return { ...literal, text, start, end, verbatim: end - start === text.length };
};
