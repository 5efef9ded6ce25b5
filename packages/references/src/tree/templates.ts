/**
 * Actions of Go templates (`{{ … }}`) hidden from a YAML parser, at the same length, so that every index stays. A line of actions alone becomes
 * blanks; any other action becomes letters of a plain scalar. `${{ … }}` is an expression of GitHub and stays.
 */
export const maskTemplates = (text: string): string => {
  const pieces: string[] = [];
  let done = 0;
  let close = 0;
  for (let from = text.indexOf("{{"); from >= 0; ) {
    // Looked for once, however many actions begin before it.
    if (close < from + 2) close = text.indexOf("}}", from + 2);
    if (close < 0) break;
    const end = close + 2;
    if (text[from - 1] === "$") {
      from = text.indexOf("{{", from + 1);
      continue;
    }
    pieces.push(text.slice(done, from), (isBlock(text, from, end) ? " " : mark).repeat(end - from));
    done = end;
    from = text.indexOf("{{", end);
  }
  if (pieces.length === 0) return text;
  return [...pieces, text.slice(done)].join("").replace(alone, (line) => " ".repeat(line.length));
};

/** A letter that no file has: of Latin-1, and nothing to YAML. */
const mark = "\u00aa";
/** Newlines inside of an action were masked with it, so a line here is a line of what is left. */
const alone = /^[ \t]*\u00aa[\u00aa \t]*(?=\r?$)/gm;

/** The value of a key that brings lines of its own: `labels: {{- toYaml .Values.labels | nindent 4 }}`. More may follow below it. */
const isBlock = (text: string, from: number, end: number): boolean => {
  const action = text.slice(from, end);
  if (!/\b(?:nindent|toYaml)\b/.test(action) || action.includes("\n")) return false;
  let before = from;
  while (text[before - 1] === " " || text[before - 1] === "\t") before--;
  let behind = end;
  while (text[behind] === " " || text[behind] === "\t") behind++;
  return before < from && text[before - 1] === ":" && /^\r?(?:\n|$)/.test(text.slice(behind, behind + 2));
};
