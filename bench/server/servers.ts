/** The servers that are compared: each started on a folder of its own, with durability as it ships and without access logs. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { testCertificates } from "@dray/testkit";
import { accepting, findPeer, freePort } from "@dray/testkit/peers";
import { before } from "../programs.ts";

export const serverNames = ["dray", "dray before", "docker-registry", "registry 3", "zot"] as const;
export type ServerName = (typeof serverNames)[number];

export interface Server {
  readonly name: ServerName;
  /** `127.0.0.1:41234` */
  readonly host: string;
  /** `http://127.0.0.1:41234` */
  readonly origin: string;
  readonly pid: number;
  /** Folder of its data. */
  readonly data: string;
  /** PEM file of the authority that signed its certificate, with TLS. */
  readonly ca?: string;
  /** Dray's control socket. */
  readonly control: string;
  /** Milliseconds from its start until it accepted a connection. */
  readonly accepted: number;
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly data: string;
  readonly tls?: boolean;
}

const executable: string = fileURLToPath(new URL("../../dist/dray", import.meta.url));

/** Where a server's program lies; `undefined` is said once on stderr. */
export const programOfServer = (name: ServerName): string | undefined => {
  if (name === "dray before") return before;
  if (name !== "dray") return findPeer(name === "registry 3" ? "registry" : name);
  const path = process.env["DRAY"] ?? executable;
  return existsSync(path) ? path : undefined;
};

/** `--servers=dray,zot` leaves the others out. */
const wanted = process.argv
  .find((word) => word.startsWith("--servers="))
  ?.slice("--servers=".length)
  .split(",");

/** Those that are here, and a line about those that are not. */
export const present = (all: readonly ServerName[] = serverNames): { here: ServerName[]; missing: string[] } => {
  const asked = all.filter((name) => wanted === undefined || wanted.includes(name));
  const names = asked.filter((name) => name !== "dray before" || before !== undefined);
  const here = names.filter((name) => programOfServer(name) !== undefined);
  const absent = names.filter((name) => !here.includes(name));
  return { here, missing: absent.length === 0 ? [] : [`- missing on this machine: ${absent.join(", ")}`] };
};

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

export const startServer = async (name: ServerName, options: ServerOptions): Promise<Server> => {
  const program = programOfServer(name);
  if (program === undefined) throw new Error(`${name} is not on this machine`);
  const dir = await mkdtemp(join(tmpdir(), "dray-bench-server-"));
  const port = await freePort();
  // The path of a socket must be short, and that of the checkout need not be.
  await symlink(options.data, join(dir, "data"));
  const control = join(dir, "data/dray/control.sock");
  const files = options.tls === true ? await certificates(dir) : undefined;
  const config = join(dir, name === "zot" ? "config.json" : "config.yml");
  const settings = name === "zot" ? zotConfig(options.data, port, files) : config01(options.data, port, files);
  await writeFile(config, JSON.stringify(settings));
  const begun = performance.now();
  const child = spawn(program, ["serve", config], {
    // Nothing of this shell's `REGISTRY_*` or `OTEL_*`; registry 3 sends traces unless it is told not to.
    env: { PATH: process.env["PATH"], HOME: dir, OTEL_TRACES_EXPORTER: "none", TMPDIR: tmpdir() },
    stdio: ["ignore", "ignore", "pipe"],
  });
  running.add(child);
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-4000);
  });
  const ended = new Promise<void>((resolve) =>
    child.once("exit", () => {
      running.delete(child);
      resolve();
    }),
  );
  const stop = async (): Promise<void> => {
    child.kill();
    const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(late);
    await rm(dir, { recursive: true, force: true });
  };
  const host = `127.0.0.1:${port}`;
  try {
    await Promise.race([
      accepting(port, name, { seconds: 60, pause: 5 }),
      ended.then(() => Promise.reject(new Error(`${name} ended at its start: ${said}`))),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name,
    host,
    origin: `${files === undefined ? "http" : "https"}://${host}`,
    pid: child.pid as number,
    data: options.data,
    ...(files === undefined ? {} : { ca: files.ca }),
    control,
    accepted: performance.now() - begun,
    stop,
  };
};

interface Certificates {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** The one file that Dray and both registries read; what is Dray's own the others pass over. */
const config01 = (data: string, port: number, tls: Certificates | undefined): object => ({
  version: "0.1",
  log: { level: "error", accesslog: { disabled: true } },
  storage: {
    filesystem: { rootdirectory: data },
    delete: { enabled: true },
    maintenance: { uploadpurging: { enabled: false } },
  },
  http: {
    addr: `127.0.0.1:${port}`,
    ...(tls === undefined ? {} : { tls: { certificate: tls.certificate, key: tls.key } }),
  },
  dray: { durability: "full", gc: { interval: "0s", grace: "0s", lease: "0s" } },
});

/** As quick as it gets: no deduplication, no collection, and as it ships no `commit`, which is its word for fsync. */
const zotConfig = (data: string, port: number, tls: Certificates | undefined): object => ({
  distSpecVersion: "1.1.1",
  storage: { rootDirectory: data, dedupe: false, gc: false },
  http: {
    address: "127.0.0.1",
    port: String(port),
    ...(tls === undefined ? {} : { tls: { cert: tls.certificate, key: tls.key } }),
  },
  log: { level: "error" },
});

const certificates = async (dir: string): Promise<Certificates> => {
  const { ca, server } = testCertificates();
  const put = async (name: string, pem: string): Promise<string> => {
    await writeFile(join(dir, name), pem, { mode: 0o600 });
    return join(dir, name);
  };
  return {
    ca: await put("ca.pem", ca.cert),
    certificate: await put("server.pem", server.cert),
    key: await put("server.key", server.key),
  };
};
