/**
 * The runtimes that the project is tested on. Bun and Node 24 come pinned from npm; Node 22 is fetched on demand into npm's own
 * cache, because two packages that both bring a `node` would fight for one place in `node_modules/.bin`.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

export const root: string = resolve(import.meta.dirname, "..");

export type RuntimeName = "bun" | "node" | "node22";

export interface Runtime {
  name: RuntimeName;
  /** As people call it: `Bun 1.4.5`. */
  title: string;
  /** The executable. */
  path: string;
}

const node22 = "22.23.3";
const oldestNode = [22, 21] as const;

/** Finds a runtime, or says in one line what is missing and how to get it. */
export const findRuntime = (name: RuntimeName): Runtime | { missing: string } => {
  try {
    if (name === "bun") return named(name, "Bun", installed("bun") ?? "bun");
    if (name === "node") return named(name, "Node", installed("node") ?? "node");
    return named(name, "Node", fetched(`${nodePackage()}@${node22}`));
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
};

const named = (name: RuntimeName, family: string, path: string): Runtime => {
  let version: string;
  try {
    version = execFileSync(path, ["--version"], { encoding: "utf8", stdio: "pipe" }).trim().replace(/^v/, "");
  } catch (error) {
    throw new Error(`${family} is missing: ${path} does not start; run npm ci`, { cause: error });
  }
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (family === "Node" && (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]))) {
    throw new Error(`Node ${version} at ${path} is too old, ${oldestNode.join(".")} is needed; run npm ci`);
  }
  return { name, title: `${family} ${version}`, path };
};

/** What npm installed; npm has no Node for every machine, and the machine's own may be new enough. */
const installed = (name: string): string | undefined => {
  const path = join(root, "node_modules", ".bin", name);
  return existsSync(path) ? path : undefined;
};

/** npm keeps what `npm exec` fetches, so only the first call needs the network. */
const fetched = (specifier: string): string => {
  const ask = ["exec", "--yes", `--package=${specifier}`, "--", "node", "-p", "process.execPath"];
  try {
    return execFileSync("npm", ask, { cwd: root, encoding: "utf8", stdio: "pipe" }).trim();
  } catch (error) {
    throw new Error(`npm could not fetch ${specifier}`, { cause: error });
  }
};

const nodePackage = (): string =>
  process.platform === "darwin" ? `node-bin-darwin-${process.arch}` : `node-${process.platform}-${process.arch}`;
