/**
 * Actions of Go templates (`{{ … }}`) hidden from a YAML parser, at the same length, so that every index stays. A line of actions alone becomes
 * blanks; any other action becomes letters of a plain scalar. `${{ … }}` is an expression of GitHub and stays.
 */
export const maskTemplates = (text: string): string => {
  if (!text.includes("{{")) return text;
  const masked = text
    .replace(block, (_, before: string, found: string) => before + " ".repeat(found.length))
    .replace(action, (found) => mark.repeat(found.length));
  return masked.replace(alone, (line) => " ".repeat(line.length));
};

/** A letter that no file has: of Latin-1, and nothing to YAML. */
const mark = "\u00aa";
/** The value of a key that brings lines of its own: `labels: {{- toYaml .Values.labels | nindent 4 }}`. More may follow below it. */
const block = /(:[ \t]+)(\{\{(?:[^}\n]|\}(?!\}))*\b(?:nindent|toYaml)\b(?:[^}\n]|\}(?!\}))*\}\})(?=[ \t]*\r?$)/gm;
const action = /(?<!\$)\{\{(?:[^}]|\}(?!\}))*\}\}/g;
/** Newlines inside of an action were masked with it, so a line here is a line of what is left. */
const alone = /^[ \t]*\u00aa[\u00aa \t]*(?=\r?$)/gm;
