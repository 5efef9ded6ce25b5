/** The manifests of `deploy/` for compose and Kubernetes, and the hook of certbot: what they say fits the registry that they start. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { testCertificates } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { parseAllDocuments, parse as parseYaml } from "yaml";
import { loadSettings } from "../config/index.ts";

const folder = fileURLToPath(new URL("../../../../deploy/", import.meta.url));
const contentOf = (name: string): string => readFileSync(join(folder, name), "utf8");
const seconds = (duration: string): number => Number(/^(\d+)s$/.exec(duration)?.[1]);

test("compose: the variables mean something, there is time to end, and health is asked as the image does", () => {
  const { services, volumes } = parseYaml(contentOf("compose.yml")) as {
    services: { registry: Record<string, unknown> };
    volumes: object;
  };
  const { environment, stop_grace_period, healthcheck, volumes: mounts, read_only } = services.registry;
  const { settings, warnings } = loadSettings({
    file: join(folder, "container.yml"),
    env: environment as Record<string, string>,
  });
  assert.deepEqual(warnings, []);
  assert.equal(settings.access.kind, "htpasswd");
  assert.equal(settings.log.audit?.to, "stdout");
  const { ports } = services.registry as { ports: string[] };
  if (settings.listen.tls === undefined) for (const each of ports) assert.match(each, /^127\.0\.0\.1:/);
  assert.ok(seconds(stop_grace_period as string) * 1000 > settings.listen.drain);
  const dockerfile = contentOf("Dockerfile");
  const health = JSON.parse(/^HEALTHCHECK .*\\\n +CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? "[]");
  assert.deepEqual((healthcheck as { test: string[] }).test, ["CMD", ...health]);
  assert.equal(read_only, true);
  const volume = /^VOLUME (\S+)$/m.exec(dockerfile)?.[1];
  assert.ok((mounts as string[]).includes(`${Object.keys(volumes)[0]}:${volume}`));
  const users = (environment as Record<string, string>)["REGISTRY_AUTH_HTPASSWD_PATH"];
  assert.ok((mounts as string[]).some((mount) => mount.split(":")[1] === users));
});

test("Kubernetes: one replica that ends before the next, on files that are mounted where its configuration says", () => {
  const documents = parseAllDocuments(contentOf("kubernetes.yml")).map((each) => each.toJS());
  const one = (kind: string) => documents.find((each) => each.kind === kind) ?? assert.fail(kind);
  const { spec } = one("StatefulSet");
  assert.equal(spec.replicas, 1);
  const pod = spec.template.spec;
  const [container] = pod.containers;
  const { settings, warnings } = loadSettings({ text: one("ConfigMap").data["config.yml"] });
  assert.deepEqual(warnings, []);
  assert.ok(pod.terminationGracePeriodSeconds * 1000 > settings.listen.drain);
  assert.equal(pod.enableServiceLinks, false);

  const mountOf = (path: string): string | undefined =>
    container.volumeMounts.find(
      ({ mountPath }: { mountPath: string }) => path.startsWith(`${mountPath}/`) || path === mountPath,
    )?.name;
  assert.equal(settings.storage.driver === "filesystem" && mountOf(settings.storage.root), "data");
  assert.equal(spec.volumeClaimTemplates[0].metadata.name, "data");
  assert.equal(mountOf(container.args[0]), "config");
  assert.equal(settings.access.kind === "htpasswd" && mountOf(settings.access.options.file), "users");
  for (const file of [settings.listen.tls?.certificate, settings.listen.tls?.key])
    assert.equal(mountOf(file ?? ""), "tls");
  for (const mount of container.volumeMounts) assert.equal(mount.subPath, undefined, "it would never be renewed");

  const ports = Object.fromEntries(
    container.ports.map((each: { name: string; containerPort: number }) => [each.name, each.containerPort]),
  );
  assert.deepEqual(settings.listen.address, { ...settings.listen.address, port: ports.https });
  assert.deepEqual(settings.debug?.address, { ...settings.debug?.address, port: ports.metrics });
  assert.equal(spec.template.metadata.annotations["prometheus.io/port"], String(ports.metrics));
  assert.equal(settings.log.audit?.to, "stdout");
  const policy = one("NetworkPolicy").spec;
  assert.deepEqual(policy.podSelector.matchLabels, spec.template.metadata.labels);
  const rules = policy.ingress.map((rule: { from?: object; ports: { port: number }[] }) => [
    rule.ports.map(({ port }) => port),
    rule.from !== undefined,
  ]);
  assert.deepEqual(rules, [
    [[ports["https"]], false],
    [[ports["metrics"]], true],
  ]);
  for (const [probe, path] of [
    ["livenessProbe", "/livez"],
    ["readinessProbe", "/readyz"],
  ] as const)
    assert.deepEqual(container[probe].httpGet, { path, port: "https", scheme: "HTTPS" });
  assert.deepEqual(one("Service").spec.selector, spec.template.metadata.labels);
  assert.ok(Object.values(ports).includes(one("Service").spec.ports[0].targetPort));
  assert.equal(pod.securityContext.fsGroup, pod.securityContext.runAsUser);
});

test("certbot: the hook puts key and certificate where the unit's configuration has them, for its group alone", () => {
  const root = temporaryFolder("certbot");
  const [lineage, to] = [join(root, "live"), join(root, "dray")];
  for (const each of [lineage, to]) mkdirSync(each);
  const { server } = testCertificates();
  writeFileSync(join(lineage, "privkey.pem"), server.key);
  writeFileSync(join(lineage, "fullchain.pem"), server.cert);
  const ran = spawnSync("/bin/sh", [join(folder, "certbot-hook.sh")], {
    env: { PATH: process.env["PATH"], RENEWED_LINEAGE: lineage, DRAY_TLS: to, DRAY_GROUP: String(process.getgid?.()) },
    encoding: "utf8",
  });
  assert.deepEqual([ran.status, ran.stderr], [0, ""]);
  const { tls } = loadSettings({ file: join(folder, "config.yml") }).settings.listen;
  const hook = contentOf("certbot-hook.sh");
  for (const [file, content] of [
    [tls?.certificate, server.cert],
    [tls?.key, server.key],
  ] as const) {
    assert.match(hook, new RegExp(`DRAY_TLS:-${(file ?? "").replace(/\/[^/]*$/, "")}\\}`));
    const there = join(to, (file ?? "").split("/").at(-1) ?? "");
    assert.equal(readFileSync(there, "utf8"), content);
    assert.equal(statSync(there).mode & 0o777, 0o640);
  }
});
