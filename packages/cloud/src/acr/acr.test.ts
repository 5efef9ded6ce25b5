import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Listener, listen } from "@dray/testkit";
import { type Azure, azure, type Premises, premises } from "@dray/testkit/clouds";
import { type Asked, asked } from "../../test/asked.ts";

const principal = {
  AZURE_CLIENT_ID: "client",
  AZURE_TENANT_ID: "11111111-2222-3333-4444-555555555555",
  AZURE_CLIENT_SECRET: "secret-of-the-principal",
};
const scope = "https://containerregistry.azure.net/.default";

describe("Azure's registries", () => {
  const cloud: Azure = azure();
  let here: Premises;
  let machine: Listener;
  before(async () => {
    const logins = ["login.microsoftonline.com", "login.partner.microsoftonline.cn", "login.microsoftonline.us"];
    const registries = ["one.azurecr.io", "two.azurecr.io", "one.azurecr.cn", "one.azurecr.us"];
    here = await premises({
      ...Object.fromEntries(logins.map((host) => [host, cloud.login])),
      ...Object.fromEntries(registries.map((host) => [host, cloud.registry])),
    });
    machine = await listen(cloud.metadata);
  });
  after(() => Promise.all([here.close(), machine.close()]));

  const ask = (registries: readonly string[], env: Readonly<Record<string, string>>) =>
    asked(registries, { ...here.env, AZURE_POD_IDENTITY_AUTHORITY_HOST: "http://127.0.0.1:1", ...env });
  /** How each registry's refresh token was got. */
  const how = ({ answers }: Asked) =>
    answers.map(
      ({ identityToken = ".e30." }) =>
        JSON.parse(Buffer.from(identityToken.split(".")[1] ?? "", "base64url").toString()).sub,
    );

  test("a service principal: one token of Azure's for each cloud, exchanged at each registry", async () => {
    const from = cloud.asked.length;
    const ended = await ask(
      ["one.azurecr.io", "two.azurecr.io", "one.azurecr.cn", "one.azurecr.us", "registry.example"],
      principal,
    );
    assert.deepEqual(
      how(ended),
      [...Array.from({ length: 4 }, () => "refresh-by-secret"), undefined],
      JSON.stringify(ended),
    );
    assert.deepEqual(cloud.asked.slice(from).sort(), [
      "200 exchange one.azurecr.cn",
      "200 exchange one.azurecr.io",
      "200 exchange one.azurecr.us",
      "200 exchange two.azurecr.io",
      `200 login.microsoftonline.com client_credentials ${scope} secret`,
      `200 login.microsoftonline.us client_credentials ${scope} secret`,
      `200 login.partner.microsoftonline.cn client_credentials ${scope} secret`,
    ]);
    const { chosen } = ended.answers[0] ?? {};
    assert.deepEqual([chosen?.kind, chosen?.source], ["identity token", "acr (service principal)"]);
    const hours = (Date.parse(chosen?.expiresAt ?? "") - Date.now()) / 3_600_000;
    assert.ok(hours > 2.9 && hours < 3.1, `${hours} hours`);
    assert.deepEqual([ended.warnings, ended.stderr], [[], ""]);
  });

  test("workload identity, and the managed identity of a machine", async () => {
    const file = join(here.env["HOME"] ?? "", "federated");
    writeFileSync(file, "federated-token");
    const { AZURE_CLIENT_SECRET: _, ...pod } = principal;
    const workload = await ask(["one.azurecr.io"], { ...pod, AZURE_FEDERATED_TOKEN_FILE: file });
    assert.deepEqual(how(workload), ["refresh-by-federated"], JSON.stringify(workload));
    assert.equal(workload.answers[0]?.chosen.source, "acr (workload identity)");
    const managed = await ask(["one.azurecr.io"], { AZURE_POD_IDENTITY_AUTHORITY_HOST: machine.origin });
    assert.deepEqual(how(managed), ["refresh-by-machine"], JSON.stringify(managed));
    assert.equal(managed.answers[0]?.chosen.source, "acr (managed identity)");
  });

  test("nobody is logged in: without a word; a wrong secret, and a registry that refuses, are said without the secret", async () => {
    const nobody = await ask(["one.azurecr.io"], {});
    assert.deepEqual([nobody.answers[0]?.chosen.kind, nobody.warnings], ["anonymous", []], JSON.stringify(nobody));
    assert.match(nobody.answers[0]?.tried[0]?.said ?? "", /nobody is logged in to Azure here/);
    const wrong = await ask(["one.azurecr.io"], { ...principal, AZURE_CLIENT_SECRET: "wrong-secret" });
    assert.match(
      wrong.warnings.join(),
      /^acr \(one\.azurecr\.io\): .*AADSTS7000215.*; going on without its credentials/,
    );
    assert.ok(!JSON.stringify(wrong).includes("wrong-secret"), JSON.stringify(wrong));
  });

  test("whoever az is logged in as", async () => {
    const folder = join(here.env["HOME"] ?? "", "bin");
    mkdirSync(folder, { recursive: true });
    const printed = {
      accessToken: "token-by-az",
      expires_on: Math.floor(Date.now() / 1000) + 3600,
      tokenType: "Bearer",
    };
    writeFileSync(join(folder, "az"), `#!/bin/sh\necho noise >&2\necho '${JSON.stringify(printed)}'\n`, {
      mode: 0o755,
    });
    const ended = await ask(["one.azurecr.io"], { PATH: `${folder}:${here.env["PATH"]}` });
    assert.deepEqual(how(ended), ["refresh-by-az"], JSON.stringify(ended));
    assert.equal(ended.answers[0]?.chosen.source, "acr (az)");
  });
});
