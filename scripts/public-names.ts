/** What sources export, and what their comments say of it. Pure, but for the reader it is given. */
import { join } from "node:path/posix";

/** Everything before the name of a declaration that is exported. */
const declaration =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|class|interface|type|function\*?) (\w+)/gm;

/** What a source itself declares and exports; what it passes on from elsewhere is not its own. */
export const publicNames = (source: string): string[] => {
  const listed = /^export (?:type )?\{([^}]*)\};?$/gm;
  return [
    ...[...source.matchAll(declaration)].map(([, name = ""]) => name),
    ...[...source.matchAll(listed)].flatMap(([, names = ""]) => listOf(names).map(({ as }) => as)),
  ];
};

/** A name that a file exports, its own or passed on. */
export interface PublicName {
  readonly name: string;
  /** The file that declares it. */
  readonly file: string;
  /** The comment above the declaration, without its frame; empty where there is none. */
  readonly doc: string;
}

/** All that a file exports, by name, through whatever it passes on. */
export const exportsOf = (file: string, read: (file: string) => string): Map<string, PublicName> => {
  const source = read(file);
  const all = new Map<string, PublicName>();
  const passedOn = /^export (?:type )?(?:\*|\{([^}]*)\}) from "(\.[^"]+)";$/gm;
  for (const [, names, from = ""] of source.matchAll(passedOn)) {
    const there = exportsOf(join(file, "..", from), read);
    if (names === undefined) for (const [name, found] of there) all.set(name, found);
    else
      for (const { name, as } of listOf(names)) {
        const found = there.get(name);
        if (found !== undefined) all.set(as, { ...found, name: as });
      }
  }
  for (const match of source.matchAll(declaration)) {
    const [, name = ""] = match;
    if (!all.has(name)) all.set(name, { name, file, doc: docBefore(source.slice(0, match.index)) });
  }
  return all;
};

/** Up to the first full stop, or the end of the paragraph. */
export const firstSentence = (doc: string): string =>
  /^.*?(?:[.!?](?=\s|$)|(?= {2}))|^[^@]*/s.exec(doc)?.[0].trim() ?? "";

/** `one, type Two as Three` */
const listOf = (names: string): { name: string; as: string }[] =>
  names
    .split(",")
    .map((each) => each.trim().replace(/^type /, ""))
    .filter((each) => each !== "")
    .map((each) => {
      const [name = "", as = name] = each.split(" as ");
      return { name, as };
    });

const docBefore = (before: string): string => {
  const comment = /\/\*\*((?:(?!\*\/).)*)\*\/\n$/s.exec(before)?.[1] ?? "";
  return comment
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trim())
    .join(" ")
    .trim();
};
