import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPeer } from "./find.ts";
import { freePort } from "./ports.ts";

/** An API server of Kubernetes with an etcd of its own: no node, no scheduler, no controller. */
export interface KubernetesApi {
  /** Asks as somebody who may do everything. @throws where the API refuses */
  ask(method: string, path: string, body?: object): Promise<unknown>;
  /** A kubeconfig file for whoever `token` belongs to. */
  kubeConfig(token: string, namespace: string): Promise<string>;
  close(): Promise<void>;
}

const programs = ["kube-apiserver", "etcd"];
const master = "of-the-test";

/** Why there is no such API here, or `false`. */
export const noKubernetesApi = (): string | false => {
  const absent = programs.filter((name) => findPeer(name) === undefined);
  return absent.length > 0 && `missing: ${absent.join(", ")}`;
};

/** Starts one. `tokens`: users beside the test's own, by their tokens; what they may do, roles say. */
export const startKubernetesApi = async (tokens: Readonly<Record<string, string>> = {}): Promise<KubernetesApi> => {
  const dir = await mkdtemp(join(tmpdir(), "dray-kube-"));
  const put = async (name: string, text: string): Promise<string> => {
    await writeFile(join(dir, name), text, { mode: 0o600 });
    return join(dir, name);
  };
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const key = await put("accounts.key", privateKey);
  const users = Object.entries(tokens).map(([token, user]) => `${token},${user},${user}`);
  const tokenFile = await put("tokens.csv", [`${master},admin,1,system:masters`, ...users, ""].join("\n"));
  const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
  const [etcdUrl, peerUrl] = [`http://127.0.0.1:${etcdPort}`, `http://127.0.0.1:${peerPort}`];
  const etcd = started("etcd", {
    "data-dir": join(dir, "etcd"),
    "unsafe-no-fsync": true,
    "log-level": "error",
    "listen-client-urls": etcdUrl,
    "advertise-client-urls": etcdUrl,
    "listen-peer-urls": peerUrl,
    "initial-advertise-peer-urls": peerUrl,
    "initial-cluster": `default=${peerUrl}`,
  });
  const api = started("kube-apiserver", {
    "etcd-servers": etcdUrl,
    "bind-address": "127.0.0.1",
    "secure-port": port,
    "cert-dir": join(dir, "certs"),
    "token-auth-file": tokenFile,
    "authorization-mode": "RBAC",
    "service-account-issuer": "https://here.test",
    "service-account-key-file": key,
    "service-account-signing-key-file": key,
    "service-cluster-ip-range": "10.9.0.0/24",
    "disable-admission-plugins": "ServiceAccount",
  });
  const origin = `https://127.0.0.1:${port}`;
  const close = async (): Promise<void> => {
    for (const { child, ended } of [api, etcd]) {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await ended;
    }
    await rm(dir, { recursive: true, force: true });
  };
  const certificate = (): Promise<string> => readFile(join(dir, "certs/apiserver.crt"), "utf8");
  const ask: KubernetesApi["ask"] = async (method, path, body) => {
    const { status, text } = await answer(`${origin}${path}`, { method, body, ca: await certificate() });
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text.slice(0, 500)}`);
    return JSON.parse(text) as unknown;
  };
  for (let tries = 0; ; tries++) {
    // Ready is more than listening: the roles of the system are written first.
    const ready = await certificate()
      .then((ca) => answer(`${origin}/readyz`, { method: "GET", ca }))
      .catch(() => undefined);
    if (ready?.status === 200) break;
    if (api.child.exitCode !== null || etcd.child.exitCode !== null || tries > 600) {
      await close();
      throw new Error(`kube-apiserver did not start: ${api.said()} ${etcd.said()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const kubeConfig: KubernetesApi["kubeConfig"] = async (token, namespace) => {
    const ca = Buffer.from(await certificate()).toString("base64");
    const config = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "here",
      clusters: [{ name: "c", cluster: { server: origin, "certificate-authority-data": ca } }],
      users: [{ name: "u", user: { token } }],
      contexts: [{ name: "here", context: { cluster: "c", user: "u", namespace } }],
    };
    return put(`kubeconfig-${token}`, JSON.stringify(config));
  };
  return { ask, kubeConfig, close };
};

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  /** The end of what it said. */
  said(): string;
}

const started = (name: string, flags: Readonly<Record<string, string | number | true>>): Started => {
  const words = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
  const child = spawn(findPeer(name) as string, words, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (said = (said + text).slice(-4000)));
  return { child, ended: once(child, "close"), said: () => said };
};

interface Question {
  readonly method: string;
  readonly body?: object | undefined;
  readonly ca: string;
}

const answer = (url: string, { method, body, ca }: Question): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${master}`, "Content-Type": "application/json" };
    const asked = request(url, { method, headers, ca, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => void (text += piece));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
