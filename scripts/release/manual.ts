/** Man pages and completions, from the command's own table: what `--help` and the shells say. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { DrayCommand } from "../../packages/cli/src/command.ts";
import { branches } from "../../packages/cli/src/commands/index.ts";
import { completionScript, shells } from "../../packages/cli/src/completion/index.ts";
import type { Branch } from "../../packages/cli/src/context.ts";
import { sharedFlags } from "../../packages/cli/src/flags.ts";
import { define } from "../../packages/cli/src/program.ts";
import { version } from "../../packages/cli/src/version.ts";
import { endOfArchive, wholeEntry } from "../../packages/dray/src/tar/index.ts";
import { root } from "../runtimes.ts";

type Option = DrayCommand["options"][number];
type Argument = DrayCommand["registeredArguments"][number];

/** Every page by its file: `man1/dray-copy.1`. */
export const manPages = async (): Promise<Map<string, string>> => {
  const pages = new Map([["man1/dray.1", overview()]]);
  const add = async (list: readonly Branch[], above: string): Promise<void> => {
    for (const branch of list) {
      const name = `${above}-${branch.name}`;
      pages.set(`man1/${name}.1`, await page(name, branch));
      await add(branch.branches ?? [], name);
    }
  };
  await add(branches, "dray");
  return pages;
};

/** Pages and completions in one archive, laid out as below `/usr/share`. */
export const manualArchive = async (): Promise<Uint8Array> => {
  const names = {
    bash: "bash-completion/completions/dray",
    zsh: "zsh/site-functions/_dray",
    fish: "fish/vendor_completions.d/dray.fish",
    powershell: "powershell/dray.ps1",
  };
  const files = [
    ...[...(await manPages())].map(([file, text]): [string, string] => [`man/${file}`, text]),
    ...shells.map((shell): [string, string] => [names[shell], completionScript(shell, { descriptions: true })]),
  ];
  const entries = files.map(([file, text]) => wholeEntry({ name: file }, new TextEncoder().encode(text)));
  return gzipSync(Buffer.concat([...entries, endOfArchive()]), { level: 9 });
};

const page = async (name: string, branch: Branch): Promise<string> => {
  const typed = name
    .replaceAll("-", " ")
    .replace(/check config$/, "check-config")
    .replace(/read only$/, "read-only");
  const lines = [...head(name, branch.summary)];
  const command = new DrayCommand(typed);
  if (branch.load !== undefined) {
    const module = await branch.load();
    define(command, module, { act: async () => {} });
    lines.push(
      ".SH SYNOPSIS",
      `.B ${plain(typed)}`,
      plain(command.usage()),
      ".SH DESCRIPTION",
      plain(`${branch.summary}.`),
    );
    lines.push(...listed("ARGUMENTS", command.registeredArguments.map(argumentItem)));
    const [ends, own] = split(
      command.options.filter(({ hidden, helpGroupHeading }) => !hidden && helpGroupHeading !== globalHeading),
      ({ helpGroupHeading }) => helpGroupHeading !== undefined,
    );
    lines.push(...listed("OPTIONS", own.map(optionItem)), ...listed("ONE END ONLY", ends.map(optionItem)));
    lines.push(".SH EXAMPLES", ".nf", ...module.examples.map(plain), ".fi");
  } else lines.push(".SH SYNOPSIS", `.B ${plain(typed)}`, "COMMAND", ".SH DESCRIPTION", plain(`${branch.summary}.`));
  if (branch.branches !== undefined)
    lines.push(
      ...listed(
        "COMMANDS",
        branch.branches.map((each) => [`${typed} ${each.name}`, each.summary]),
      ),
    );
  lines.push(".SH SEE ALSO", "Global options, environment and exit codes are in", ".BR dray (1).");
  return `${lines.join("\n")}\n`;
};

const overview = (): string => {
  const readme = readFileSync(join(root, "packages/cli/README.md"), "utf8");
  const codes = [...readme.matchAll(/^\| (\d+) \| (.*) \|$/gm)].map(
    ([, code = "", meaning = ""]): Item => [code, meaning.replaceAll("`", "")],
  );
  const lines = [
    ...head("dray", "moves container images, and serves them"),
    ".SH SYNOPSIS",
    ".B dray",
    "COMMAND [options] [arguments]",
    ...listed(
      "COMMANDS",
      branches.map(({ name, summary }) => [name, summary]),
    ),
    ...listed("GLOBAL OPTIONS", sharedFlags().map(optionItem)),
    ".SH UNITS",
    "Durations are 500ms, 30s, 5m, 1h30m or 30d; a number alone is seconds. Sizes are 4096, 64MiB or 1GB.",
    ".SH ENVIRONMENT",
    plain("Every flag can be set in the environment: --ca-file as DRAY_CA_FILE. Flags win."),
    ...listed("EXIT STATUS", codes),
    ".SH SEE ALSO",
    plain("Each command has its page: dray-copy(1)."),
  ];
  return `${lines.join("\n")}\n`;
};

type Item = readonly [term: string, meaning: string];

const head = (name: string, summary: string): string[] => [
  `.TH ${name.toUpperCase()} 1 "" "dray ${version}"`,
  ".SH NAME",
  `${plain(name)} \\- ${plain(summary)}`,
];

const globalHeading = sharedFlags()[0]?.helpGroupHeading;

const listed = (heading: string, items: readonly Item[]): string[] =>
  items.length === 0
    ? []
    : [`.SH ${heading}`, ...items.flatMap(([term, meaning]) => [".TP", `\\fB${plain(term)}\\fR`, plain(meaning)])];

const argumentItem = (argument: Argument): Item => [argument.name(), argument.description];

const optionItem = ({ flags, description, argChoices }: Option): Item => [
  flags,
  argChoices === undefined ? description : `${description}: ${argChoices.join(", ")}`,
];

const split = <T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] => [
  items.filter(isFirst),
  items.filter((item) => !isFirst(item)),
];

/** Text as roff takes it: its own characters, a dash that is typed, and no line that begins like a request. */
const plain = (text: string): string =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/, "\\&$1")
    .replaceAll("…", "...");
