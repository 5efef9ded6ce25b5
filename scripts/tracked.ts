/** The files of the project: those in git, and new ones that git would take. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./runtimes.ts";

export const trackedFiles = (): string[] =>
  execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" })
    .split("\0")
    // A deleted file stays in the index until the next commit.
    .filter((file) => file !== "" && existsSync(join(root, file)));
