/** Images that somebody has made to write where they may not, or that nobody has thought of, and what has to become of each. */
import { posix } from "node:path";
import type { ErrorCode } from "../src/errors.ts";
import type { Line } from "./tree-image.ts";

/** An image, bottom layer first, and its tree as lines (`dir/`, `file=content`, `link->target`, `pipe|`), or the code that it is refused with. */
export interface HostileImage {
  readonly name: string;
  readonly layers: readonly (readonly Line[])[];
  readonly wanted: readonly string[] | ErrorCode;
  /** Why GNU tar makes something else of it. */
  readonly notByTar?: string;
}

type Kind = "file" | "directory" | "symlink" | "hardlink" | "fifo";
const kinds: readonly Kind[] = ["file", "directory", "symlink", "hardlink"];

/** An entry of a kind; hard links lead to `ok`. */
const entry = (name: string, kind: Kind, body = "evil"): Line => ({
  name,
  type: kind,
  linkName: kind === "symlink" ? "t" : kind === "hardlink" ? "ok" : "",
  ...(kind === "file" ? { body } : {}),
  ...(kind === "directory" ? { mode: 0o755 } : {}),
});

/** How an entry looks when it is there; its body is that of `entry`. */
const seen = (path: string, kind: Kind, body = "evil"): string =>
  ({
    file: `${path}=${body}`,
    directory: `${path}/`,
    symlink: `${path}->t`,
    hardlink: `${path}=ok`,
    fifo: `${path}|`,
  })[kind];

/** A path and the directories above it. */
const above = (path: string): string[] =>
  path
    .split("/")
    .slice(0, -1)
    .map((_, i, parts) => `${parts.slice(0, i + 1).join("/")}/`);

const ok = "ok=ok";
const late = "links that lead far away are made at the end, over what came meanwhile";

/** Names that lead out of the root. `canary` is a path outside it. */
const leaving = (canary: string): HostileImage[] =>
  ["..", "../", "../x", "../../x", "a/../../x", "./../x", "/../x", "//../x", "a/..//../x", `../..${canary}`].flatMap(
    (name) =>
      kinds.map((kind) => ({
        name: `${kind} ${name}`,
        layers: [[ok, entry(name, kind)]],
        wanted: "ARCHIVE_INVALID" as const,
      })),
  );

/** Names that only look as if they did. */
const absolute = (): HostileImage[] =>
  ["/x", "//x", "/a/b", "/./x", "///a//b", "a/../x", "a/./b/../../x"].flatMap((name) =>
    kinds.map((kind) => {
      const path = posix.normalize(`/${name}`).replace(/^\/+/, "");
      return {
        name: `${kind} ${name}`,
        layers: [[ok, entry(name, kind)]],
        wanted: [ok, ...above(path), seen(path, kind)],
      };
    }),
  );

/** Entries behind a symbolic link: of the same layer, of one below, and of one above. */
const behindLinks = (canary: string): HostileImage[] =>
  [
    "/",
    "/etc",
    "..",
    "../..",
    "../../../../tmp",
    "/proc/self/root",
    canary,
    `../..${canary}`,
    ".",
    "d/../..",
    "d/e",
  ].flatMap((target) =>
    kinds.flatMap((kind): HostileImage[] => {
      const link = `l->${target}`;
      const path = posix.join(posix.normalize(posix.join("/", target)), "x").slice(1);
      const direct = [ok, "l/", seen("l/x", kind)];
      return [
        {
          name: `${kind} behind a link to ${target}`,
          layers: [[ok, link, entry("l/x", kind)]],
          wanted: [ok, link, ...above(path), seen(path, kind)],
        },
        { name: `${kind} above a link to ${target}`, layers: [[ok, link], [entry("l/x", kind)]], wanted: direct },
        { name: `${kind} below a link to ${target}`, layers: [[ok, entry("l/x", kind)], [link]], wanted: [ok, link] },
      ];
    }),
  );

/** Hard links to what is not there, or not here. */
const hardLinks = (canary: string): HostileImage[] => [
  ...["../x", "/../x", "a/../../ok", canary, "/etc/passwd", "none", "d", "l/secret", "h"].map((target) => ({
    name: `a hard link to ${target}`,
    layers: [[ok, "d/", `l->${posix.dirname(canary)}`, { name: "h", type: "hardlink" as const, linkName: target }]],
    wanted: "ARCHIVE_INVALID" as const,
  })),
  ...["ok", "/ok", "./ok", "d/../ok", "//ok"].map((target) => ({
    name: `a hard link to ${target}`,
    layers: [[ok, { name: "h", type: "hardlink" as const, linkName: target }]],
    wanted: [ok, "h=ok"],
  })),
  {
    name: "a hard link to a symbolic link, then written through",
    layers: [[`s->${canary}`, "h=>s", "h=written"]],
    wanted: [`s->${canary}`, "h=written"],
    notByTar: late,
  },
  { name: "hard links in a circle", layers: [["a=>b", "b=>a"]], wanted: "ARCHIVE_INVALID" },
];

/** One path twice, in one layer and in two. */
const twice = (): HostileImage[] => {
  const all: readonly Kind[] = [...kinds, "fifo"];
  return all.flatMap((first) =>
    all.flatMap((second) => {
      const two = [entry("x", first, "one"), entry("x", second, "two")];
      const wanted = [ok, seen("x", second, "two")];
      return [
        { name: `${first} and ${second} in one layer`, layers: [[ok, ...two]], wanted },
        { name: `${first} and ${second} in two layers`, layers: [[ok, two[0] as Line], [two[1] as Line]], wanted },
      ];
    }),
  );
};

/** Directories that become links, so that their modes and times would go to what these lead to. */
const modes = (canary: string): HostileImage[] =>
  [posix.dirname(canary), canary, "../../../outside", "/"].map((target) => ({
    name: `a directory that becomes a link to ${target}`,
    layers: [[{ name: "x/", type: "directory" as const, mode: 0, mtime: 1, uid: 1 }, `x->${target}`]],
    wanted: [`x->${target}`],
  }));

/** Links that are written through by a second entry of their name. */
const through = (canary: string): HostileImage[] =>
  [canary, "ok", "../..", "/etc/passwd", "x"].map((target) => ({
    name: `a file over a link to ${target}`,
    layers: [[ok, `x->${target}`, "x=new"]],
    wanted: [ok, "x=new"],
    ...(/^\/|\.\./.test(target) ? { notByTar: late } : {}),
  }));

const oddNames: readonly string[] = [
  " ",
  "  a",
  "a ",
  "-rf",
  "--",
  "~",
  "$HOME",
  "*",
  "?",
  "[a]",
  "a:b",
  "c:",
  "a;b",
  "a|b",
  "'",
  '"',
  "`id`",
  "%2e%2e",
  "...",
  "..a",
  "a..",
  ".wh",
  "wh.",
  "x.wh.y",
  "con",
  "nul.txt",
  "a\nb",
  "a\tb",
  "\u0001",
  "\u007f",
  "\u202e",
  "\ufeff",
  "．．",
  "․․",
  "é",
  "e\u0301",
  "\udcff",
  "a\udce9b",
  "\udcc3",
  "日本",
  "😀",
  "a\\b",
  "\\",
  "\\\\server\\x",
  "n".repeat(255),
];

const odd = (): HostileImage[] =>
  oddNames.flatMap((name) => [
    { name: `the name ${JSON.stringify(name)}`, layers: [[{ name, body: "1" }]], wanted: [`${name}=1`] },
    {
      name: `the directory ${JSON.stringify(name)}`,
      layers: [[{ name: `${name}/x`, body: "1" }]],
      wanted: [`${name}/`, `${name}/x=1`],
    },
  ]);

const whiteouts = (): HostileImage[] => [
  ...[".wh.", ".wh..", ".wh...", "d/.wh.", "d/.wh..", "d/.wh..."].map((name) => ({
    name: `the whiteout ${name}`,
    layers: [[ok, "d/x=1"], [{ name }]],
    wanted: "ARCHIVE_INVALID" as const,
  })),
  { name: "a whiteout behind a link", layers: [[ok], ["l->/", "l/.wh.ok"]], wanted: ["l->/"] },
  {
    name: "an opaque root behind a link",
    layers: [
      [ok, "d/x=1"],
      ["l->..", "l/.wh..wh..opq"],
    ],
    wanted: ["l->.."],
  },
  { name: "a whiteout that leaves the root", layers: [[ok], ["../.wh.ok"]], wanted: "ARCHIVE_INVALID" },
  { name: "a whiteout of a whiteout", layers: [[ok], [".wh..wh.ok"]], wanted: [ok] },
  { name: "links in a circle", layers: [["a->b", "b->a", "a/x=1"]], wanted: "ARCHIVE_INVALID" },
  { name: "a link to itself", layers: [["a->a", "a/x=1"]], wanted: "ARCHIVE_INVALID" },
  { name: "a path below a file", layers: [["a=1", "a/b=1"]], wanted: "ARCHIVE_INVALID" },
  { name: "a path of five thousand bytes", layers: [[`${"d/".repeat(2500)}x=1`]], wanted: "LIMIT_EXCEEDED" },
  { name: "a path of three hundred directories", layers: [[`${"d/".repeat(300)}x=1`]], wanted: "LIMIT_EXCEEDED" },
  { name: "a name of 256 bytes", layers: [[`${"n".repeat(256)}=1`]], wanted: "LIMIT_EXCEEDED" },
];

/** All of them. @param canary a path that nothing may reach */
export const hostileImages = (canary: string): HostileImage[] => [
  ...leaving(canary),
  ...absolute(),
  ...behindLinks(canary),
  ...hardLinks(canary),
  ...twice(),
  ...modes(canary),
  ...through(canary),
  ...odd(),
  ...whiteouts(),
];
