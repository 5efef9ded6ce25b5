/** The reader of eStargz's authors as a program, built from its module where Go is there. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findPeer, finish } from "@dray/testkit/peers";

const folder = fileURLToPath(new URL(".", import.meta.url));

/** Path of the program: the one of this source, among the peers. `undefined` where there is no Go, or no module for it, which is said. */
export const estargzJudge = async (): Promise<string | undefined> => {
  const source = ["main.go", "go.mod", "go.sum"].map((name) => readFileSync(join(folder, name), "utf8")).join("");
  const name = `estargz-judge-${createHash("sha256").update(source).digest("hex").slice(0, 8)}`;
  const peers = process.env["PEERS"] ?? join(homedir(), ".cache/dray-peers/bin");
  const program = join(peers, name);
  if (existsSync(program)) return program;
  const go = findPeer("go");
  if (go === undefined) return undefined;
  mkdirSync(peers, { recursive: true });
  const made = `${program}.${process.pid}`;
  const env = { GOFLAGS: "-mod=readonly" };
  const { code, stderr } = await finish([go, "build", "-buildvcs=false", "-trimpath", "-o", made, "."], {
    env,
    cwd: folder,
  });
  if (code !== 0) {
    process.stderr.write(`estargz-judge was not built: ${stderr.slice(-500)}\n`);
    return undefined;
  }
  renameSync(made, program);
  return program;
};
