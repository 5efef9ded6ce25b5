/** The registries of the CNCF over a folder and a configuration that others use, too. */
import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findPeer, finish } from "@dray/testkit/peers";

export interface Peer {
  readonly name: string;
  /** Where it lies, if it is there. */
  readonly program: string | undefined;
}

export const peers: readonly Peer[] = [
  { name: "docker-registry 2.8", program: findPeer("docker-registry") },
  { name: "registry 3", program: findPeer("registry") },
];

/** As operators have it: nothing in it is Dray's. */
export const writeConfig = async (file: string, { data, address }: { data: string; address: string }): Promise<void> =>
  writeFile(
    file,
    `version: 0.1
log:
  level: warn
  accesslog:
    disabled: true
  fields:
    service: registry
storage:
  filesystem:
    rootdirectory: ${data}
    maxthreads: 100
  cache:
    blobdescriptor: inmemory
  delete:
    enabled: true
  maintenance:
    uploadpurging:
      enabled: true
      age: 168h
      interval: 24h
      dryrun: false
http:
  addr: ${address}
  secret: the-same-for-all
  headers:
    X-Content-Type-Options: [nosniff]
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
`,
  );

/** What its garbage collection would do. */
export interface GarbageTold {
  readonly marked: readonly string[];
  readonly eligible: readonly string[];
}

/** @throws when it does not end well */
export const garbageOf = async (program: string, config: string): Promise<GarbageTold> => {
  const { code, stdout, stderr } = await finish([program, "garbage-collect", "--dry-run", config], {
    env: { OTEL_TRACES_EXPORTER: "none" },
  });
  if (code !== 0) throw new Error(`garbage-collect: exit ${code}: ${stderr.slice(-2000)}\n${stdout.slice(-2000)}`);
  const all = (pattern: RegExp): string[] =>
    [...new Set([...stdout.matchAll(pattern)].map(([, digest]) => digest as string))].sort();
  return {
    marked: all(/marking (?:manifest|blob|configuration) (sha\d+:[0-9a-f]+)/g),
    eligible: all(/blob eligible for deletion: (sha\d+:[0-9a-f]+)/g),
  };
};

/** Modes and owners of everything in the tree of a data folder, by path. */
export const ownership = async (data: string): Promise<Map<string, string>> => {
  const [facts, folder] = [new Map<string, string>(), join(data, "docker")];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const { mode, uid, gid } = await stat(path);
    facts.set(path.slice(folder.length), `${mode.toString(8)} ${uid}:${gid}`);
  }
  return facts;
};
