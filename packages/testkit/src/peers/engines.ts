import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testCertificates } from "../certificates/index.ts";
import { findPeer } from "./find.ts";
import { freePort } from "./ports.ts";

/** A container engine of a test's own. */
export interface TestEngine {
  /** `unix:///tmp/…/engine.sock`, as `DOCKER_HOST` has it. */
  readonly host: string;
  readonly socket: string;
  /** Where docker also listens with TLS, and a folder as `DOCKER_CERT_PATH` has it. */
  readonly secure?: { readonly host: string; readonly certificates: string } | undefined;
  close(): Promise<void>;
}

/** An engine that a test can have: `docker` is Debian's dockerd, `docker-oci` one that keeps images in containerd, `podman` its service. */
export type EngineKind = "docker" | "docker-oci" | "podman";

/** Programs that each one needs. */
const programs: Readonly<Record<EngineKind, readonly string[]>> = {
  docker: ["dockerd", "containerd", "unshare"],
  "docker-oci": ["dockerd2", "containerd", "unshare"],
  podman: ["podman"],
};

/** Why there is no such engine here, or `false`. */
export const noEngine = (kind: EngineKind): string | false => {
  const absent = programs[kind].filter((name) => findPeer(name) === undefined);
  if (absent.length > 0) return `missing: ${absent.join(", ")}`;
  return process.getuid?.() === 0 ? false : `needs root, for ${kind}`;
};

/** Starts one, without a network: it only stores and moves images. `plain`: registries that speak plain http; docker knows those of this machine. */
export const startEngine = async (
  kind: EngineKind,
  { plain = [] }: { readonly plain?: readonly string[] } = {},
): Promise<TestEngine> => {
  // Short: the path of a socket has 107 bytes at most, and containerd puts some of its own below.
  const dir = await mkdtemp(join(tmpdir(), "eng-"));
  const socket = join(dir, "e.sock");
  const secure = kind === "podman" ? undefined : await secured(dir);
  const words = secure === undefined ? podman(dir, socket) : await docker(kind, dir, socket, secure);
  const [program = "", ...rest] = words;
  const registries = join(dir, "registries.conf");
  await writeFile(registries, plain.map((host) => `[[registry]]\nlocation = "${host}"\ninsecure = true\n`).join(""));
  const env = { ...process.env, HOME: dir, XDG_RUNTIME_DIR: undefined, CONTAINERS_REGISTRIES_CONF: registries };
  const child = spawn(program, rest, { stdio: ["ignore", "ignore", "pipe"], env });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (said = (said + text).slice(-8000)));
  const ended = once(child, "close");
  const close = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    await ended;
    await rm(dir, { recursive: true, force: true });
  };
  for (let tries = 0; !(await answers(socket)); tries++) {
    if (child.exitCode !== null || tries > 600) {
      await close();
      throw new Error(`${kind} did not start: ${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { host: `unix://${socket}`, socket, secure, close };
};

type Secure = NonNullable<TestEngine["secure"]>;

const secured = async (dir: string): Promise<Secure> => {
  const { ca, server, client } = testCertificates();
  const [own, certificates] = [join(dir, "tls"), join(dir, "client")];
  for (const [folder, { cert, key }] of [
    [own, server],
    [certificates, client],
  ] as const) {
    await mkdir(folder);
    await writeFile(join(folder, "ca.pem"), ca.cert);
    await writeFile(join(folder, "cert.pem"), cert);
    await writeFile(join(folder, "key.pem"), key, { mode: 0o600 });
  }
  return { host: `tcp://127.0.0.1:${await freePort()}`, certificates };
};

const podman = (dir: string, socket: string): string[] => [
  findPeer("podman") as string,
  ..."--storage-driver vfs --root".split(" "),
  join(dir, "root"),
  "--runroot",
  join(dir, "run"),
  ..."system service --time 0".split(" "),
  `unix://${socket}`,
];

const docker = async (kind: EngineKind, dir: string, socket: string, { host }: Secure): Promise<string[]> => {
  const config = join(dir, "daemon.json");
  await mkdir(join(dir, "etc"));
  await writeFile(
    config,
    JSON.stringify(
      kind === "docker"
        ? { "storage-driver": "vfs" }
        : { features: { "containerd-snapshotter": true }, "storage-driver": "native" },
    ),
  );
  const flags = [
    "--iptables=false --ip6tables=false --bridge=none",
    `--data-root ${dir}/root --exec-root ${dir}/exec --pidfile ${dir}/pid --config-file ${config} --host unix://${socket}`,
    `--host ${host} --tlsverify --tlscacert ${dir}/tls/ca.pem --tlscert ${dir}/tls/cert.pem --tlskey ${dir}/tls/key.pem`,
  ].join(" ");
  // A folder /etc/docker of its own, where it writes a key.
  const script = `mkdir -p /etc/docker; mount --bind ${dir}/etc /etc/docker; exec "$0" ${flags}`;
  return [
    "unshare",
    "--mount",
    "--propagation",
    "private",
    "/bin/sh",
    "-ec",
    script,
    findPeer(kind === "docker" ? "dockerd" : "dockerd2") as string,
  ];
};

/** Whether it has said that it is there. */
const answers = (socket: string): Promise<boolean> =>
  new Promise((resolve) => {
    const connection = createConnection(socket);
    const settle = (there: boolean): void => {
      connection.destroy();
      resolve(there);
    };
    connection.once("error", () => settle(false));
    connection.once("end", () => settle(false));
    connection.setTimeout(5000, () => settle(false));
    connection.once("data", (data: Buffer) =>
      settle(data.toString().startsWith("HTTP/1.1 200") || data.toString().startsWith("HTTP/1.0 200")),
    );
    connection.once("connect", () =>
      connection.write("GET /_ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
    );
  });
