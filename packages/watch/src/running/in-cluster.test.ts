import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { answerWith, listen, testCertificates } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "dray/errors";
import type { Handler } from "dray/http";
import { runningInCluster } from "./index.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const digest = `sha256:${"1".repeat(64)}`;
const owner = (kind: string, name: string): object => ({
  ownerReferences: [{ kind, name, controller: true, uid: "u", apiVersion: "v1" }],
});
const web = (name: string): object => ({
  metadata: { name, namespace: "team", labels: { "pod-template-hash": "5d9" }, ...owner("ReplicaSet", "web-5d9") },
  spec: {
    imagePullSecrets: [{ name: "of-web" }],
    serviceAccountName: "builder",
    initContainers: [{ name: "init", image: "busybox:1.36" }],
    containers: [{ name: "web", image: "r.test/web:1" }],
  },
  status: {
    phase: "Running",
    containerStatuses: [{ name: "web", image: "r.test/web:1", imageID: `docker-pullable://r.test/web@${digest}` }],
  },
});
const pages: Readonly<Record<string, object>> = {
  "": { metadata: { continue: "next" }, items: [web("web-5d9-a"), web("web-5d9-b")] },
  next: {
    metadata: {},
    items: [
      {
        metadata: { name: "done", namespace: "team" },
        spec: { containers: [{ name: "x", image: "no:1" }] },
        status: { phase: "Succeeded" },
      },
      {
        metadata: {
          name: "b-29000000-x",
          namespace: "ops",
          annotations: { "wud.watch": "false" },
          ...owner("Job", "backup-29000000"),
        },
        spec: { containers: [{ name: "x", image: "quay.io/x/backup" }] },
        status: { phase: "Running" },
      },
    ],
  },
};

test("what runs in a cluster: workloads, what their nodes pulled, and each one's own pull secrets", async (t) => {
  const { ca, server: tls } = testCertificates();
  const asked: string[] = [];
  const handler: Handler = (request) => {
    const { pathname, searchParams } = new URL(request.target, "https://h");
    asked.push(pathname);
    const auths = { "r.test": { username: "of-web", password: "sEcret" } };
    const secret = {
      type: "kubernetes.io/dockerconfigjson",
      data: { ".dockerconfigjson": base64(JSON.stringify({ auths })) },
    };
    const found: unknown = {
      "/api/v1/pods": pages[searchParams.get("continue") ?? ""],
      "/api/v1/namespaces/team/secrets/of-web": secret,
      "/api/v1/namespaces/team/serviceaccounts/builder": {},
    }[pathname];
    const status = found === undefined ? 403 : 200;
    return answerWith(
      status,
      { "Content-Type": "application/json" },
      JSON.stringify(found ?? { kind: "Status" }),
    )(request, handler);
  };
  const server = await listen(handler, { tls });
  t.after(() => server.close());
  const kubeConfig = join(temporaryFolder("running"), "config");
  const cluster = { server: server.origin, "certificate-authority-data": base64(ca.cert) };
  await writeFile(
    kubeConfig,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "here",
      clusters: [{ name: "c", cluster }],
      users: [{ name: "u", user: { token: "the-token" } }],
      contexts: [{ name: "here", context: { cluster: "c", user: "u" } }],
    }),
  );
  const running = await runningInCluster({ kubeConfig });
  assert.deepEqual(
    running.map(({ image, digests, places, isLeftAlone }) => ({ image, digests, places, isLeftAlone })),
    [
      { image: "busybox:1.36", digests: [], places: ["team/Deployment/web"], isLeftAlone: undefined },
      { image: "r.test/web:1", digests: [digest], places: ["team/Deployment/web"], isLeftAlone: undefined },
      { image: "quay.io/x/backup", digests: [], places: ["ops/CronJob/backup"], isLeftAlone: true },
    ],
  );
  assert.deepEqual(asked, ["/api/v1/pods", "/api/v1/pods"]);
  const found = await running[1]?.credentials?.({ registry: "r.test", repository: "web" });
  assert.equal(found?.username, "of-web");
  await assert.rejects(
    runningInCluster({ kubeConfig, namespace: "other" }),
    (error) => isDrayError(error, "DENIED") && /pods of the cluster cannot be listed/.test(error.message),
  );
});
