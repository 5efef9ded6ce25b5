/** Pages of docs/ that lay another tool's commands beside ours, as tests read them: tables, and the tests that rows lead to. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";

export interface DocPage {
  /** The rows of the tables below a title, cell by cell. */
  rowsBelow(title: string): string[][];
  /** The tests that a cell leads to. */
  testsOf(cell: string): string[];
  isThere(path: string): boolean;
  textOf(path: string): string;
}

/** @param name `crane.md` */
export const docPage = (name: string): DocPage => {
  const here = new URL(`../../../docs/${name}`, import.meta.url);
  const page = readFileSync(here, "utf8");
  return {
    rowsBelow: (title) => {
      const section = page.split(/^## /m).find((each) => each.startsWith(`${title}\n`)) ?? "";
      const lines = section
        .split("\n")
        .filter((line) => line.startsWith("| ") && !/^\| (?:command|g?crane|dray|what) \|/.test(line));
      return lines.map((line) =>
        line
          .split(/(?<!\\)\|/)
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    },
    testsOf: (cell) => [...cell.matchAll(/\]\((\.\.\/[^)]+)\)/g)].map(([, path = ""]) => path),
    isThere: (path) => existsSync(new URL(path, here)),
    textOf: (path) => readFileSync(new URL(path, here), "utf8"),
  };
};

/** A command or a flag of the other tool, and what the page says of it. */
export interface DocRow {
  readonly command: string;
  readonly short: string | undefined;
  readonly flag: string | undefined;
  readonly here: string;
  readonly shown: string;
}

/** The rows of a table of commands and flags: `` `copy -j, --jobs` ``. */
export const docRows = (rows: readonly (readonly string[])[]): DocRow[] =>
  rows.map(([words = "", here = "", shown = ""]) => {
    const [, command = "", short, flag] = /^`([a-z ]*?) ?(?:(?:(-\w), )?(--[\w-]+))?`$/.exec(words) ?? [];
    return { command, short, flag, here, shown };
  });

/** A row in the words of the tool's help: `copy -j, --jobs`. */
export const namedIn = ({ command, short, flag }: DocRow): string =>
  [command, short === undefined ? flag : `${short}, ${flag}`]
    .filter((word) => word !== "" && word !== undefined)
    .join(" ");

/** Rows that lead to no test, to one that is not there, or to ones that do not have the command or the flag. */
export const unshown = (page: DocPage, rows: readonly DocRow[]): string[] =>
  rows.flatMap(({ command, short, flag, shown }) => {
    const what = `${command} ${flag ?? ""}`;
    const tests = page.testsOf(shown);
    const lacking = tests.filter((path) => !page.isThere(path));
    if (tests.length === 0 || lacking.length > 0) return [`${what}: ${lacking[0] ?? "no test"}`];
    const text = tests.map((path) => page.textOf(path)).join("\n");
    const said =
      flag === undefined ? [command.split(" ").at(-1) ?? ""] : [flag, ...(short === undefined ? [] : [short])];
    return said.some((word) => new RegExp(`(?<![\\w-])${word}(?![\\w-])`).test(text)) ? [] : [what];
  });

/** Rows of differences without a reason, or that lead to no test. */
export const unfounded = (page: DocPage, rows: readonly (readonly string[])[]): (readonly string[])[] =>
  rows.filter((cells) => {
    const tests = page.testsOf(cells[4] ?? "");
    return cells.length !== 5 || cells.includes("") || tests.length === 0 || tests.some((path) => !page.isThere(path));
  });

const run = promisify(execFile);

/** What a tool's help names, below these words: commands, and flags as `copy -j, --jobs`. */
export const toldByHelp = async (program: string, words: readonly string[] = []): Promise<Set<string>> => {
  const told = new Set<string>();
  const { stdout } = await run(program, [...words, "--help"]);
  const [, own = ""] = /^Flags:\n((?: .*\n)*)/m.exec(stdout) ?? [];
  const path = words.join(" ");
  if (path !== "") told.add(path);
  for (const [, short, flag = ""] of own.matchAll(/^ +(?:(-\w), )? *(--[\w-]+)/gm))
    if (flag !== "--help") told.add(`${path} ${short === undefined ? "" : `${short}, `}${flag}`.trim());
  const [, below = ""] = /^Available Commands:\n((?: .*\n)*)/m.exec(stdout) ?? [];
  for (const [, name = ""] of below.matchAll(/^ +(\w+)/gm))
    if (name !== "help") for (const each of await toldByHelp(program, [...words, name])) told.add(each);
  return told;
};
