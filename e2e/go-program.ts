/** Programs in Go that judge what we wrote, built from a folder of ours where Go is there. */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { findPeer, finish } from "@dray/testkit/peers";

/**
 * Path of the program: the one of this source, among the peers. Modules are those of its `go.mod`, checked by its `go.sum` or, where that would
 * be thousands of lines, by Go's own database of sums. `undefined` where there is no Go, or no module for it, which is said.
 */
export const goProgram = async (name: string, folder: string): Promise<string | undefined> => {
  const files = ["main.go", "go.mod", "go.sum"].filter((file) => existsSync(join(folder, file)));
  const source = files.map((file) => readFileSync(join(folder, file), "utf8")).join("");
  const peers = process.env["PEERS"] ?? join(homedir(), ".cache/dray-peers/bin");
  const program = join(peers, `${name}-${createHash("sha256").update(source).digest("hex").slice(0, 8)}`);
  if (existsSync(program)) return program;
  const go = findPeer("go");
  if (go === undefined) return undefined;
  mkdirSync(peers, { recursive: true });
  const made = `${program}.${process.pid}`;
  const copy = mkdtempSync(join(tmpdir(), `${name}-`));
  for (const file of files) cpSync(join(folder, file), join(copy, file));
  const env = { GOFLAGS: files.includes("go.sum") ? "-mod=readonly" : "-mod=mod" };
  const command = [go, "build", "-buildvcs=false", "-trimpath", "-o", made, "."];
  const { code, stderr } = await finish(command, { env, cwd: copy });
  rmSync(copy, { recursive: true, force: true });
  if (code !== 0) {
    process.stderr.write(`${name} was not built: ${stderr.slice(-500)}\n`);
    return undefined;
  }
  renameSync(made, program);
  return program;
};
