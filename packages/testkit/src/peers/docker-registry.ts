import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testCertificates } from "../certificates/index.ts";
import { findPeer } from "./find.ts";
import { accepting, freePort } from "./ports.ts";
import { succeed } from "./run.ts";

export interface DockerRegistryOptions {
  /** `registry` is distribution 3. Default: `docker-registry`, 2.8. */
  readonly peer?: "docker-registry" | "registry";
  /** Serves https, under an authority of its own. Default: http. */
  readonly tls?: boolean;
  /** Wants a certificate of the client too; the client's files are in `files`. */
  readonly clientCertificate?: boolean;
  /** The `auth` section of its configuration, such as `{ htpasswd: { realm, path } }` or `{ token: { … } }`. */
  readonly auth?: object;
  /** `true`: schema 1 manifests may be pushed. */
  readonly schema1?: boolean;
  /** The `notifications` section of its configuration. */
  readonly notifications?: object;
}

/** A registry of the CNCF distribution, running with a folder of its own. */
export interface DockerRegistry {
  /** As it calls itself: `2.8.2+ds1`. */
  readonly version: string;
  /** `127.0.0.1:41234` */
  readonly host: string;
  /** Where its blobs lie. */
  readonly data: string;
  /** PEM file of the authority that signed its certificate. */
  readonly ca?: string | undefined;
  /** PEM files of a client's certificate that it accepts. */
  readonly client?: { readonly cert: string; readonly key: string } | undefined;
  /** Forgets everything that was pushed. */
  empty(): Promise<void>;
  /** Bytes of all blobs that it holds. */
  bytes(): Promise<number>;
  close(): Promise<void>;
}

/** Starts one on a free port of this machine. `undefined` where the program is not installed, which is said on stderr. */
export const startDockerRegistry = async (options: DockerRegistryOptions = {}): Promise<DockerRegistry | undefined> => {
  const { peer = "docker-registry" } = options;
  const program = findPeer(peer);
  if (program === undefined) return undefined;
  const dir = await mkdtemp(join(tmpdir(), "dray-registry-"));
  const data = join(dir, "data");
  await mkdir(data);
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const tls =
    options.tls === true || options.clientCertificate === true ? await writeCertificates(dir, options) : undefined;
  const config = {
    version: "0.1",
    log: { level: "error", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: data },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: host, tls: tls?.settings },
    auth: options.auth,
    notifications: options.notifications,
    compatibility: options.schema1 === true ? { schema1: { enabled: true } } : undefined,
  };
  await writeFile(join(dir, "config.yml"), JSON.stringify(config));
  const env = { ...process.env, OTEL_TRACES_EXPORTER: "none" };
  const child = spawn(program, ["serve", join(dir, "config.yml")], { stdio: "ignore", env });
  const ended = once(child, "exit");
  await Promise.race([accepting(port, peer), ended.then(() => Promise.reject(new Error(`${peer} ended at once`)))]);
  return {
    version: (await succeed([program, "--version"])).trim().split(" ").at(-1) ?? "",
    host,
    data,
    ca: tls?.ca,
    client: tls?.client,
    empty: async () => {
      for (const entry of await readdir(data)) await rm(join(data, entry), { recursive: true });
    },
    bytes: () => bytesOfBlobs(data),
    close: async () => {
      child.kill();
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
};

const bytesOfBlobs = async (data: string): Promise<number> => {
  let sum = 0;
  for (const file of await readdir(data, { recursive: true, withFileTypes: true }))
    if (file.isFile() && file.name === "data") sum += (await stat(join(file.parentPath, file.name))).size;
  return sum;
};

type Tls = Pick<Required<DockerRegistry>, "ca" | "client"> & { readonly settings: object };

const writeCertificates = async (dir: string, { clientCertificate }: DockerRegistryOptions): Promise<Tls> => {
  const { ca, server, client } = testCertificates();
  const put = async (name: string, pem: string): Promise<string> => {
    await writeFile(join(dir, name), pem, { mode: 0o600 });
    return join(dir, name);
  };
  const authority = await put("ca.pem", ca.cert);
  const settings = {
    certificate: await put("server.pem", server.cert),
    key: await put("server.key", server.key),
    clientcas: clientCertificate === true ? [authority] : undefined,
  };
  const files = { cert: await put("client.pem", client.cert), key: await put("client.key", client.key) };
  return { settings, ca: authority, client: files };
};
