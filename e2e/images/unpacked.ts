/** Trees in directories, as text that can be compared. */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What is below a directory, a line for each path: type, mode, owner, time, and what it holds; names of one file together. */
export const fingerprint = (root: string): string => {
  const names = new Map<number, string[]>();
  const lines: [string, number, string][] = [];
  const walk = (folder: Buffer, inside: string): void => {
    for (const name of readdirSync(folder, { encoding: "buffer" })) {
      const at = Buffer.concat([folder, Buffer.from("/"), name]);
      const path = `${inside}/${name.toString("latin1")}`;
      const facts = lstatSync(at);
      const { mode, uid, gid, size, mtimeMs, rdev, ino } = facts;
      const what = facts.isSymbolicLink()
        ? `-> ${readlinkSync(at, { encoding: "buffer" }).toString("latin1")}`
        : facts.isFile()
          ? `${size} ${createHash("sha256").update(readFileSync(at)).digest("hex").slice(0, 16)} ${mtimeMs}`
          : facts.isDirectory()
            ? ""
            : `device ${rdev}`;
      lines.push([path, facts.isDirectory() ? 0 : ino, `${mode.toString(8)} ${uid}:${gid} ${what}`]);
      if (!facts.isDirectory()) names.set(ino, [...(names.get(ino) ?? []), path]);
      else walk(at, path);
    }
  };
  walk(Buffer.from(root), "");
  return lines
    .map(
      ([path, ino, what]) =>
        `${path} ${what} ${(names.get(ino) ?? []).length > 1 ? (names.get(ino) ?? []).sort().join("=") : ""}`,
    )
    .sort()
    .join("\n");
};
