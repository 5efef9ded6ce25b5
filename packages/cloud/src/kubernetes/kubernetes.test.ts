import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { answerWith, type Listener, listen, testCertificates } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { explain } from "dray/auth";
import { type Handler, header } from "dray/http";
import { k8schain } from "../k8schain.ts";
import { kubernetes } from "./kubernetes.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const secret = (name: string, ...hosts: readonly string[]): object => {
  const auths = Object.fromEntries(hosts.map((host) => [host, { username: name, password: "sEcret" }]));
  const data = { ".dockerconfigjson": base64(JSON.stringify({ auths })) };
  return { kind: "Secret", metadata: { name, namespace: "team" }, type: "kubernetes.io/dockerconfigjson", data };
};
const named = (...names: readonly string[]): object => ({ imagePullSecrets: names.map((name) => ({ name })) });

/** What lies in the cluster, by its path below `/api/v1/namespaces/team`. */
const cluster = (): Record<string, object> => ({
  "/serviceaccounts/default": { kind: "ServiceAccount", ...named("of-default", "shared") },
  "/serviceaccounts/builder": { kind: "ServiceAccount", ...named("of-builder", "gone") },
  "/pods/web": { kind: "Pod", spec: { containers: [], serviceAccountName: "builder", ...named("of-pod") } },
  "/secrets/of-default": secret("of-default", "r.test", "d.test"),
  "/secrets/of-builder": secret("of-builder", "r.test", "b.test"),
  "/secrets/of-pod": secret("of-pod", "r.test", "p.test"),
  "/secrets/shared": secret("shared", "s.test"),
  "/secrets/named": secret("named", "r.test/team"),
});

describe("pull secrets of a cluster", () => {
  const open: Listener[] = [];
  const { ca, server: tls } = testCertificates();
  after(() => Promise.all(open.map((server) => server.close())));

  /** An API of Kubernetes over these objects, what it was asked, and a kubeconfig that leads to it. */
  const api = async (
    objects: Record<string, object>,
    answer?: (path: string) => number | undefined,
  ): Promise<{ readonly kubeConfig: string; readonly asked: string[] }> => {
    const asked: string[] = [];
    const json = { "Content-Type": "application/json" };
    const handler: Handler = (request) => {
      const path = request.target.replace("/api/v1/namespaces/team", "");
      asked.push(path);
      const isKnown = header(request.headers, "Authorization") === "Bearer the-token";
      const status = answer?.(path) ?? (!isKnown ? 401 : objects[path] === undefined ? 404 : 200);
      const body = status === 200 ? objects[path] : { kind: "Status", status: "Failure", code: status };
      return answerWith(status, json, JSON.stringify(body))(request, handler);
    };
    const server = await listen(handler, { tls });
    open.push(server);
    const kubeConfig = join(temporaryFolder("kube"), "config");
    await writeFile(
      kubeConfig,
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        "current-context": "here",
        clusters: [{ name: "c", cluster: { server: server.origin, "certificate-authority-data": base64(ca.cert) } }],
        users: [{ name: "u", user: { token: "the-token" } }],
        contexts: [{ name: "here", context: { cluster: "c", user: "u", namespace: "team" } }],
      }),
    );
    return { kubeConfig, asked };
  };

  test("of a service account, a pod, and those that are named; the first that has one counts", async () => {
    const { kubeConfig } = await api(cluster());
    for (const [options, finds] of [
      [{}, { "r.test": "of-default", "s.test": "shared", "b.test": undefined }],
      [{ serviceAccount: "builder" }, { "r.test": "of-builder", "b.test": "of-builder", "d.test": undefined }],
      [{ pod: "web" }, { "r.test": "of-pod", "p.test": "of-pod", "b.test": "of-builder", "d.test": undefined }],
      [
        { pod: "web", serviceAccount: "default" },
        { "r.test": "of-pod", "d.test": "of-default", "b.test": undefined },
      ],
      [
        { imagePullSecrets: ["named"], serviceAccount: false },
        { "r.test": "named", "d.test": undefined },
      ],
      [{ imagePullSecrets: ["shared", "named"] }, { "r.test": "named", "d.test": "of-default", "s.test": "shared" }],
    ] as const) {
      const keychain = kubernetes({ kubeConfig, ...options });
      for (const [registry, who] of Object.entries(finds)) {
        const found = await keychain({ registry, repository: "team/app" });
        assert.equal(found?.username, who, `${JSON.stringify(options)} ${registry}`);
      }
    }
  });

  test("they are read once, however many ask, and again when they are refused or old", async () => {
    const { kubeConfig, asked } = await api(cluster());
    let now = 1_000_000;
    const keychain = kubernetes({ kubeConfig, now: () => now });
    assert.deepEqual(asked, []);
    await Promise.all(Array.from({ length: 50 }, (_, i) => keychain({ registry: `r${i}.test` })));
    assert.deepEqual(new Set(asked), new Set(["/serviceaccounts/default", "/secrets/of-default", "/secrets/shared"]));
    assert.equal(asked.length, 3);
    asked.length = 0;
    for (const [later, fresh, reads] of [
      [5_000, true, 0],
      [20_000, true, 3],
      [60_000, false, 0],
      [300_000, false, 3],
      // The clock was set back.
      [-90_000, false, 3],
    ] as const) {
      now += later;
      await keychain({ registry: "r.test" }, { fresh });
      assert.equal(asked.splice(0).length, reads, `${later} ${fresh}`);
    }
  });

  test("what is not there or may not be read is left out and named; the others count", async () => {
    const broken = {
      ...secret("shared"),
      data: { ".dockerconfigjson": base64('{"auths":{"s.test":{"password":"sEcret"') },
    };
    const objects = { ...cluster(), "/secrets/shared": broken };
    const { kubeConfig } = await api(objects, (path) => (path === "/secrets/of-builder" ? 403 : undefined));
    const warnings: string[] = [];
    const onWarning = (message: string): void => void warnings.push(message);
    const builder = kubernetes({ kubeConfig, pod: "web", imagePullSecrets: ["shared"], onWarning });
    assert.equal((await builder({ registry: "p.test" }))?.username, "of-pod");
    await builder({ registry: "p.test" });
    assert.deepEqual(warnings.sort(), [
      "secret team/gone is not there; it is left out",
      "secret team/of-builder may not be read; it is left out",
      "secret team/shared is no valid JSON; the secret is left out",
    ]);
    warnings.length = 0;
    const nobody = kubernetes({ kubeConfig, pod: "none", serviceAccount: "none", onWarning });
    assert.equal(await nobody({ registry: "r.test" }), undefined);
    assert.deepEqual(warnings.sort(), [
      "pod team/none is not there; it is left out",
      "service account team/none is not there; it is left out",
    ]);
  });

  test("an API that fails is said once, and what it said before counts", async () => {
    let fails = true;
    const { kubeConfig } = await api(cluster(), () => (fails ? 500 : undefined));
    let now = 0;
    const warnings: string[] = [];
    const keychain = kubernetes({ kubeConfig, now: () => now, onWarning: (message) => void warnings.push(message) });
    assert.equal(await keychain({ registry: "r.test" }), undefined);
    await keychain({ registry: "s.test" });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /^pull secrets: .*; going on without them$/);
    const { tried } = await explain({ registry: "r.test" }, keychain);
    assert.equal(tried[0]?.source, "pull secrets");
    fails = false;
    now += 60_000;
    assert.equal((await keychain({ registry: "r.test" }))?.username, "of-default");
    fails = true;
    now += 300_000;
    assert.equal((await keychain({ registry: "r.test" }))?.username, "of-default");
    assert.match(warnings.at(-1) ?? "", /going on with those from before$/);
    assert.doesNotMatch(JSON.stringify([warnings, tried]), /sEcret|the-token/);
  });

  test("an API without TLS, as kubectl proxy has it, gets no token", async () => {
    const headers: string[] = [];
    const objects = cluster();
    const handler: Handler = (request) => {
      headers.push(...request.headers.map(([name]) => name.toLowerCase()));
      const found = objects[request.target.replace("/api/v1/namespaces/team", "")];
      return answerWith(200, { "Content-Type": "application/json" }, JSON.stringify(found))(request, handler);
    };
    const plain = await listen(handler);
    const { kubeConfig } = await api({});
    const file = join(temporaryFolder("kube"), "config");
    await writeFile(file, (await readFile(kubeConfig, "utf8")).replace(/https:[^"]*/, plain.origin));
    const warnings: string[] = [];
    const onWarning = (message: string): void => void warnings.push(message);
    const keychain = kubernetes({ kubeConfig: file, onWarning });
    assert.equal((await keychain({ registry: "r.test" }))?.username, "of-default", warnings.join());
    assert.ok(headers.length > 0 && !headers.includes("authorization"));
    await plain.close();
  });

  test("one that hangs is given up, and one that nobody names says so", async () => {
    const hangs = await listen(() => new Promise(() => {}), { tls });
    const file = join(temporaryFolder("kube"), "config");
    const { kubeConfig } = await api(cluster());
    await writeFile(file, (await readFile(kubeConfig, "utf8")).replace(/https:[^"]*/, hangs.origin));
    const warnings: string[] = [];
    const onWarning = (message: string): void => void warnings.push(message);
    assert.equal(await kubernetes({ kubeConfig: file, timeout: 50, onWarning })({ registry: "r.test" }), undefined);
    assert.match(warnings[0] ?? "", /did not answer within 0.05 s/);
    await kubernetes({ kubeConfig: `${file}.none`, onWarning })({ registry: "r.test" });
    assert.match(warnings[1] ?? "", /^pull secrets: .*ENOENT/);
    await hangs.close();
  });

  test("k8schain: pull secrets, then docker's files, then clouds", async () => {
    const { kubeConfig, asked } = await api(cluster());
    const authFile = join(temporaryFolder("docker"), "config.json");
    await writeFile(
      authFile,
      JSON.stringify({
        auths: Object.fromEntries(["r.test", "f.test"].map((host) => [host, { username: "file", password: "x" }])),
      }),
    );
    const docker = { authFile, env: {} };
    const chain = k8schain({ kubeConfig, docker });
    const given = k8schain({ docker, secrets: [secret("given", "r.test")] });
    const found = async (keychain: typeof chain, registry: string): Promise<string | undefined> =>
      (await keychain({ registry, repository: "a" }))?.username;
    assert.deepEqual(
      [await found(chain, "r.test"), await found(chain, "f.test"), await found(chain, "other.example")],
      ["of-default", "file", undefined],
    );
    asked.length = 0;
    assert.deepEqual([await found(given, "r.test"), await found(given, "f.test")], ["given", "file"]);
    assert.deepEqual(asked, []);
    const { tried } = await explain({ registry: "ghcr.io" }, chain);
    assert.deepEqual(
      tried.filter(({ source }) => source === "github"),
      [{ source: "github", said: "left out" }],
    );
  });
});
