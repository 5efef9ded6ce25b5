/** An instruction: its text without what continues lines, with the index of each character. */
export interface Instruction {
  readonly text: string;
  readonly indexes: readonly number[];
}

export interface Dockerfile {
  /** What `# syntax=` names, if it does. */
  readonly syntax?: { readonly text: string; readonly start: number };
  /** The character that continues a line. */
  readonly escape: string;
  readonly instructions: readonly Instruction[];
}

const directive = /^#[ \t]*([a-zA-Z][a-zA-Z0-9]*)[ \t]*=[ \t]*(.*?)[ \t]*$/;
const heredoc = /<<(-?)(["']?)([^\s"'<>|&;]+)\2/g;

/** The instructions of a file: comments and bodies of heredocs are left out. */
export const instructionsOf = (text: string): Dockerfile => {
  const lines = linesOf(text);
  let at = lines[0]?.text.startsWith("#!") ? 1 : 0;
  let syntax: Dockerfile["syntax"];
  let escape = "\\";
  for (; at < lines.length; at++) {
    const line = lines[at] as Line;
    const [, name, value = ""] = directive.exec(line.text) ?? [];
    if (name === undefined) break;
    const word = name.toLowerCase();
    if (word === "syntax" && syntax === undefined)
      syntax = { text: value, start: line.start + line.text.indexOf(value, line.text.indexOf("=") + 1) };
    if (word === "escape" && (value === "\\" || value === "`")) escape = value;
  }
  const instructions: Instruction[] = [];
  while (at < lines.length) {
    const { instruction, next } = joined(lines, at, escape);
    at = next;
    if (instruction === undefined) continue;
    instructions.push(instruction);
    if (!/^\s*(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\b/i.test(instruction.text)) continue;
    for (const [, dash, , word = ""] of instruction.text.matchAll(heredoc))
      at = afterHeredoc(lines, at, word, dash === "-");
  }
  return syntax === undefined ? { escape, instructions } : { syntax, escape, instructions };
};

interface Line {
  /** Without its end. */
  readonly text: string;
  readonly start: number;
}

const linesOf = (text: string): Line[] => {
  const lines: Line[] = [];
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf("\n", start);
    const stop = end < 0 ? text.length : end;
    lines.push({ text: text.slice(start, text[stop - 1] === "\r" && stop > start ? stop - 1 : stop), start });
    start = stop + 1;
  }
  return lines;
};

/** A line with those that continue it; comments and empty lines between them are nothing. */
const joined = (lines: readonly Line[], from: number, escape: string): { instruction?: Instruction; next: number } => {
  let text = "";
  const indexes: number[] = [];
  let at = from;
  for (; at < lines.length; at++) {
    const line = lines[at] as Line;
    const isComment = /^\s*#/.test(line.text);
    if (isComment || line.text.trim() === "") {
      if (indexes.length === 0) return { next: at + 1 };
      continue;
    }
    const bare = line.text.replace(/[ \t]+$/, "");
    const goesOn = bare.endsWith(escape);
    const kept = goesOn ? bare.slice(0, -1) : line.text;
    text += kept;
    for (let index = 0; index < kept.length; index++) indexes.push(line.start + index);
    if (!goesOn) {
      at++;
      break;
    }
  }
  return { instruction: { text, indexes }, next: at };
};

/** Where a body ends; one without an end is none. */
const afterHeredoc = (lines: readonly Line[], from: number, word: string, tabs: boolean): number => {
  for (let at = from; at < lines.length; at++) {
    const { text } = lines[at] as Line;
    if ((tabs ? text.replace(/^\t+/, "") : text) === word) return at + 1;
  }
  return from;
};
