import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeychainOptions } from "dray/auth";
import { github } from "./github.ts";
import { gitlab } from "./gitlab.ts";

const heard = (): { readonly options: KeychainOptions; readonly tried: string[] } => {
  const tried: string[] = [];
  return { tried, options: { onTried: (source, said) => tried.push(`${source}: ${said}`) } };
};

test("a job of GitHub's is known at ghcr.io alone", async () => {
  const env = { GITHUB_TOKEN: "t0ken\n", GITHUB_ACTOR: "ann" };
  const source = "github (GITHUB_TOKEN)";
  const { tried, options } = heard();
  assert.deepEqual(await github({ env })({ registry: "ghcr.io" }, options), {
    username: "ann",
    password: "t0ken",
    source,
    secureOnly: true,
  });
  assert.equal((await github({ env: { GITHUB_TOKEN: "t" } })({ registry: "ghcr.io" }))?.username, "x-access-token");
  assert.equal(await github({ env })({ registry: "ghcr.io.evil.example" }, options), undefined);
  assert.equal(await github({ env: { GITHUB_TOKEN: " " } })({ registry: "ghcr.io" }, options), undefined);
  assert.deepEqual(tried, [`${source}: password of ann`, `${source}: not set`]);
});

test("a job of GitLab's is known at the registries that its variables name, the registry's own user first", async () => {
  const env = {
    CI_REGISTRY: "registry.gitlab.example:5050",
    CI_REGISTRY_USER: "gitlab-ci-token",
    CI_REGISTRY_PASSWORD: "of-the-registry",
    CI_JOB_TOKEN: "of-the-job",
    CI_DEPLOY_USER: "deploy",
    CI_DEPLOY_PASSWORD: "of-deploy",
    CI_DEPENDENCY_PROXY_SERVER: "gitlab.example:443",
    CI_DEPENDENCY_PROXY_USER: "proxied",
    CI_DEPENDENCY_PROXY_PASSWORD: "of-the-proxy",
  };
  const registry = "registry.gitlab.example:5050";
  const of = async (variables: Readonly<Record<string, string>>, at = registry) =>
    (await gitlab({ env: variables })({ registry: at }))?.password;
  assert.equal(await of(env), "of-the-registry");
  assert.equal(await of({ ...env, CI_REGISTRY_PASSWORD: "" }), "of-deploy");
  assert.equal(await of({ CI_REGISTRY: registry, CI_JOB_TOKEN: "of-the-job" }), "of-the-job");
  assert.equal(await of({ ...env, CI_REGISTRY: `https://${registry}/group` }), "of-the-registry");
  assert.equal(await of(env, "gitlab.example"), "of-the-proxy");
  assert.equal(await of(env, "gitlab.example:443"), "of-the-proxy");
  assert.equal(await of(env, "registry.gitlab.example"), undefined);
  assert.equal(await of(env, "evil.example"), undefined);
  assert.equal(await of({ CI_JOB_TOKEN: "of-the-job" }), undefined);
  const { tried, options } = heard();
  await gitlab({ env: { CI_REGISTRY: registry, CI_JOB_TOKEN: "t" } })({ registry }, options);
  assert.deepEqual(tried, [
    "gitlab (CI_REGISTRY_USER): not set",
    "gitlab (CI_DEPLOY_USER): not set",
    "gitlab (CI_JOB_TOKEN): password of gitlab-ci-token",
  ]);
});
