/** Room that is wanted for what a flag or command means, beside its name. */
const leastMeaning = 24;

/**
 * Help fitted to a terminal: lines that it would break in the midst of a word are broken between words, below what they began with. Examples stay as
 * they are: they are copied.
 */
export const fitted = (text: string, columns: number): string => {
  let isExample = false;
  const lines = text.split("\n").flatMap((line) => {
    isExample = /^Examples?:$/.test(line) || (isExample && line !== "");
    return line.length <= columns || isExample ? [line] : broken(line, columns);
  });
  return lines.join("\n");
};

const broken = (line: string, columns: number): string[] => {
  const [, term = "", gap = "", meaning = ""] = /^( {2}\S.*?)( {2,})(\S.*)$/.exec(line) ?? [];
  const indent = term.length + gap.length;
  if (term === "") return wrapped(line.trimStart(), { first: indentOf(line), next: nextIndent(line), columns });
  // Beside what is long there is no room: below it, then.
  if (columns - indent >= leastMeaning)
    return wrapped(meaning, { first: term + gap, next: " ".repeat(indent), columns });
  return [term, ...wrapped(meaning, { first: "      ", next: "      ", columns })];
};

const indentOf = (line: string): string => /^ */.exec(line)?.[0] ?? "";

/** What follows `Usage:` stands below its first word. */
const nextIndent = (line: string): string => (line.startsWith("Usage: ") ? " ".repeat(7) : indentOf(line));

const wrapped = (
  text: string,
  { first, next, columns }: { readonly first: string; readonly next: string; readonly columns: number },
): string[] => {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(" ")) {
    if (!isEmpty && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = next;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
};
