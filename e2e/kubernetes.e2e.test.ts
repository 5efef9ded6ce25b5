/** Pull secrets as a real API server of Kubernetes keeps and gives them. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { kubernetes, runningPods } from "@dray/cloud";
import { listen, memoryRegistry, put, sampleImage } from "@dray/testkit";
import { pullSecretMatrix } from "@dray/testkit/clouds";
import { type KubernetesApi, noKubernetesApi, startKubernetesApi } from "@dray/testkit/peers";
import { parseReference } from "dray/oci";
import { workshop } from "./dray.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("pull secrets of a real API server", { skip: noKubernetesApi() }, () => {
  let api: KubernetesApi;
  let ours: string;
  const core = "/api/v1/namespaces";
  const keys = [...new Set(pullSecretMatrix.map(([key]) => key))];

  /** As `kubectl create secret docker-registry` writes them. */
  const putSecret = (name: string, hosts: readonly string[], user = name): Promise<unknown> => {
    const entry = { username: user, password: "sEcret", email: "a@b.test", auth: base64(`${user}:sEcret`) };
    const document = JSON.stringify({ auths: Object.fromEntries(hosts.map((host) => [host, entry])) });
    const data = { ".dockerconfigjson": base64(document) };
    return api.ask("POST", `${core}/team/secrets`, {
      metadata: { name },
      type: "kubernetes.io/dockerconfigjson",
      data,
    });
  };
  const named = (names: readonly string[]): object => ({ imagePullSecrets: names.map((name) => ({ name })) });
  const putAccount = (name: string, secrets: readonly string[]): Promise<unknown> =>
    api.ask("POST", `${core}/team/serviceaccounts`, { metadata: { name }, ...named(secrets) });
  const putPod = (name: string, serviceAccountName: string, secrets: readonly string[]): Promise<unknown> => {
    const spec = { serviceAccountName, containers: [{ name: "app", image: "r.test/team/app" }], ...named(secrets) };
    return api.ask("POST", `${core}/team/pods`, { metadata: { name }, spec });
  };

  before(async () => {
    api = await startKubernetesApi({ "token-of-reader": "reader" });
    await api.ask("POST", core, { metadata: { name: "team" } });
    ours = await api.kubeConfig("of-the-test", "team");
    for (const [i, key] of keys.entries()) {
      await putSecret(`key-${i}`, [key], "somebody");
      await putAccount(`account-${i}`, [`key-${i}`]);
    }
  });
  after(() => api?.close());

  test(`are matched by ${pullSecretMatrix.length} rules of kubelets`, async () => {
    for (const [i, key] of keys.entries()) {
      const keychain = kubernetes({ kubeConfig: ours, serviceAccount: `account-${i}` });
      for (const [, image, fits] of pullSecretMatrix.filter(([each]) => each === key)) {
        const { registry, repository } = parseReference(image);
        const found = await keychain({ registry, repository });
        assert.deepEqual(
          [found?.username, found?.password],
          fits ? ["somebody", "sEcret"] : [undefined, undefined],
          `${key} for ${image}`,
        );
      }
    }
  });

  test("those of a pod come before those of its service account; one that is gone is named, and the others count", async () => {
    await putSecret("of-pod", ["r.test", "p.test"]);
    await putSecret("of-account", ["r.test", "a.test"]);
    await api.ask("POST", `${core}/team/secrets`, {
      metadata: { name: "older" },
      type: "kubernetes.io/dockercfg",
      data: { ".dockercfg": base64(JSON.stringify({ "https://o.test/v1/": { auth: base64("older:sEcret") } })) },
    });
    await putAccount("builder", ["of-account", "gone", "older"]);
    await putPod("web", "builder", ["of-pod"]);
    const warnings: string[] = [];
    const onWarning = (message: string): void => void warnings.push(message);
    const keychain = kubernetes({ kubeConfig: ours, pod: "web", onWarning });
    for (const [registry, who] of [
      ["r.test", "of-pod"],
      ["p.test", "of-pod"],
      ["a.test", "of-account"],
      ["o.test", "older"],
      ["x.test", undefined],
    ] as const)
      assert.equal((await keychain({ registry, repository: "team/app" }))?.username, who, registry);
    assert.equal(warnings.length, 1, warnings.join("\n"));
    assert.match(warnings[0] ?? "", /team\/gone/);
  });

  test("the API itself keeps no pull secret that is no JSON", async () => {
    const broken = { ".dockerconfigjson": base64('{"auths":') };
    await assert.rejects(
      api.ask("POST", `${core}/team/secrets`, {
        metadata: { name: "broken" },
        type: "kubernetes.io/dockerconfigjson",
        data: broken,
      }),
      /422/,
    );
  });

  test("what a role does not allow to be read is named, and what it allows counts", async () => {
    const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/team";
    await putSecret("allowed", ["allowed.test"]);
    await putSecret("forbidden", ["forbidden.test"]);
    await putAccount("limited", ["forbidden", "allowed"]);
    await api.ask("POST", `${rbac}/roles`, {
      metadata: { name: "reads" },
      rules: [
        { apiGroups: [""], resources: ["serviceaccounts"], verbs: ["get"] },
        { apiGroups: [""], resources: ["secrets"], verbs: ["get"], resourceNames: ["allowed"] },
      ],
    });
    await api.ask("POST", `${rbac}/rolebindings`, {
      metadata: { name: "reads" },
      subjects: [{ kind: "User", name: "reader", apiGroup: "rbac.authorization.k8s.io" }],
      roleRef: { kind: "Role", name: "reads", apiGroup: "rbac.authorization.k8s.io" },
    });
    const warnings: string[] = [];
    const keychain = kubernetes({
      kubeConfig: await api.kubeConfig("token-of-reader", "team"),
      serviceAccount: "limited",
      onWarning: (message) => void warnings.push(message),
    });
    assert.equal((await keychain({ registry: "allowed.test" }))?.username, "allowed");
    assert.equal(await keychain({ registry: "forbidden.test" }), undefined);
    assert.equal(warnings.length, 1, warnings.join("\n"));
    assert.match(warnings[0] ?? "", /forbidden/);
    assert.doesNotMatch(warnings.join(), /sEcret|token-of-reader/);
  });

  test("a token that the API does not know gives nothing, and is said without being shown", async () => {
    const warnings: string[] = [];
    const keychain = kubernetes({
      kubeConfig: await api.kubeConfig("of-nobody", "team"),
      onWarning: (message) => void warnings.push(message),
    });
    assert.equal(await keychain({ registry: "r.test" }), undefined);
    assert.match(warnings.join("\n"), /^pull secrets: .*401|Unauthorized/);
    assert.doesNotMatch(warnings.join(), /of-nobody/);
  });

  test("pods are listed with what their images are pulled with, and dray outdated asks for what is newer", async (t) => {
    const registry = memoryRegistry({ access: { scheme: "basic", users: { puller: "sEcret" } } });
    for (const tag of ["1.0.0", "1.1.0"]) put(registry, "team/web", tag, sampleImage({ seed: tag }));
    const site = await listen(registry.handler);
    const shop = await workshop();
    t.after(async () => {
      await site.close();
      await shop.close();
    });
    await api.ask("POST", core, { metadata: { name: "shop" } });
    const auth = { auths: { [site.host]: { username: "puller", password: "sEcret" } } };
    await api.ask("POST", `${core}/shop/secrets`, {
      metadata: { name: "pull" },
      type: "kubernetes.io/dockerconfigjson",
      data: { ".dockerconfigjson": base64(JSON.stringify(auth)) },
    });
    await api.ask("POST", `${core}/shop/serviceaccounts`, { metadata: { name: "web" }, ...named(["pull"]) });
    const spec = { serviceAccountName: "web", containers: [{ name: "web", image: `${site.host}/team/web:1.0.0` }] };
    await api.ask("POST", `${core}/shop/pods`, { metadata: { name: "web" }, spec });
    const kubeConfig = await api.kubeConfig("of-the-test", "shop");
    const pods = await Array.fromAsync(runningPods({ kubeConfig, namespace: "shop" }));
    assert.deepEqual(
      pods.map(({ workload, image }) => [workload, image]),
      [["Pod/web", `${site.host}/team/web:1.0.0`]],
    );
    const env = { KUBECONFIG: kubeConfig };
    const { code, stdout, stderr } = await shop.here(["outdated", "-n", "shop"], { env });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /1\.0\.0 +1\.1\.0 .* minor +shop\/Pod\/web/);
  });
});
