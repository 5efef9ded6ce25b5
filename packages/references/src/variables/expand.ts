/** Whose variables: `${A:-b}` of a shell or compose, `${{ a }}` of GitHub, `${localEnv:A:b}` of an editor, `{{ .a }}` of Go, `%i` of systemd. Go's are read everywhere. */
export type Dialect = "shell" | "github" | "editor" | "systemd" | "none";

/** A variable in a reference. */
export interface Variable {
  readonly name: string;
  /** What it comes to here: what the caller or the file says, else the default that stands beside it. */
  readonly value?: string;
}

export interface Expanded {
  /** Missing where a variable has no value. */
  readonly text?: string;
  readonly variables: readonly Variable[];
}

type Lookup = (name: string) => string | undefined;

/** `{{ .Values.tag | default "1.2" }}`, `{{ default "1.2" .Values.tag }}` */
const goDefault = /\|\s*default\s+["`']([^"`']*)["`']\s*-?\}\}$|\{\{-?\s*default\s+["`']([^"`']*)["`']/;
const go = /(?<!\$)\{\{((?:[^}]|\}(?!\}))*)\}\}/y;
const github = /\$\{\{((?:[^}]|\}(?!\}))*)\}\}/y;
const input = /\$\[\[([^\]]*)\]\]/y;
const named = /\$([A-Za-z_][A-Za-z0-9_]*)/y;
const braced = /\$\{([A-Za-z_][A-Za-z0-9_]*)(:?[-+?]|\}|[#%/])/y;
/** `${localEnv:NAME:default}`, `${templateOption:name}` */
const ofEditor = /\$\{([A-Za-z]+(?::[^:}]*)?)(?::([^}]*))?\}/y;
const specifier = /%([A-Za-z])/y;

/** Characters: a reference has less, and variables that are made of variables could make any length of a short text. */
const longest = 4096;

/** The text with its variables in their places. One that is longer than any reference stays as it is. */
export const expand = (text: string, dialect: Dialect, lookup: Lookup = () => undefined): Expanded => {
  if (text.length > longest) return { text, variables: [] };
  const variables: Variable[] = [];
  let isWhole = true;
  const put = (name: string, value: string | undefined): string => {
    variables.push(value === undefined ? { name } : { name, value });
    if (value === undefined) isWhole = false;
    return value ?? "";
  };
  /** Until the end, or the brace that closes what it is in. */
  const read = (from: number, isInside: boolean): { text: string; end: number } => {
    let result = "";
    let at = from;
    const take = (pattern: RegExp): RegExpExecArray | null => {
      pattern.lastIndex = at;
      const match = pattern.exec(text);
      if (match !== null) at = pattern.lastIndex;
      return match;
    };
    while (at < text.length) {
      if (isInside && text[at] === "}") return { text: result, end: at + 1 };
      const found = take(go);
      if (found !== null) {
        const [, piped, first] = goDefault.exec(found[0]) ?? [];
        result += put(nameOf(found[1]), piped ?? first);
        continue;
      }
      if (dialect === "github" || dialect === "shell") {
        const expression = take(github) ?? take(input);
        if (expression !== null) {
          const name = nameOf(expression[1]);
          result += put(name, lookup(name));
          continue;
        }
      }
      if (dialect === "editor") {
        const found = take(ofEditor);
        if (found !== null) {
          result += put(found[1] ?? "", found[2]);
          continue;
        }
      }
      if (dialect === "systemd") {
        const found = take(specifier);
        if (found !== null) {
          result += put(`%${found[1]}`, undefined);
          continue;
        }
      }
      if (dialect === "shell") {
        if (text.startsWith("$$", at)) {
          result += "$";
          at += 2;
          continue;
        }
        const bare = take(named);
        if (bare !== null) {
          result += put(bare[1] ?? "", lookup(bare[1] ?? ""));
          continue;
        }
        const open = take(braced);
        if (open !== null) {
          const [, name = "", operator = "}"] = open;
          const value = lookup(name);
          if (operator === "}") {
            result += put(name, value);
            continue;
          }
          const before = isWhole;
          const known = variables.length;
          const word = read(at, true);
          const wordIsWhole = isWhole;
          isWhole = before;
          variables.length = known;
          at = word.end;
          const isSet = value !== undefined && (value !== "" || !operator.startsWith(":"));
          if (operator.endsWith("-")) result += put(name, isSet ? value : wordIsWhole ? word.text : undefined);
          else if (operator.endsWith("+")) result += put(name, isSet ? word.text : "");
          else result += put(name, operator.endsWith("?") && isSet ? value : undefined);
          continue;
        }
      }
      result += text[at++];
    }
    return { text: result, end: at };
  };
  const { text: whole } = read(0, false);
  return isWhole && whole.length <= longest ? { text: whole, variables } : { variables };
};

const nameOf = (inside = ""): string => inside.replace(/^-|-$/g, "").trim();
