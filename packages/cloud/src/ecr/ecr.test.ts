import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Listener, listen } from "@dray/testkit";
import { type Amazon, amazon, type Premises, premises } from "@dray/testkit/clouds";
import { findPeer, finish } from "@dray/testkit/peers";
import { asked } from "../../test/asked.ts";

const [one, other, denied] = ["111111111111", "222222222222", "333333333333"];
const api = "api.ecr.eu-west-1.amazonaws.com";
const keys = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret-of-the-key" };
const nowhere = { AWS_EC2_METADATA_DISABLED: "true" };

describe("Amazon ECR", () => {
  let cloud: Amazon;
  let here: Premises;
  before(async () => {
    cloud = amazon({ denied: [denied] });
    const hosts = [
      api,
      "api.ecr-fips.us-gov-west-1.amazonaws.com",
      "api.ecr.cn-north-1.amazonaws.com.cn",
      "ecr.eu-west-1.api.aws",
      "ecr-fips.us-east-1.api.aws",
      "api.ecr.us-iso-east-1.c2s.ic.gov",
      "api.ecr-public.us-east-1.amazonaws.com",
      "sts.eu-west-1.amazonaws.com",
    ];
    here = await premises(Object.fromEntries(hosts.map((host) => [host, cloud.handler])));
  });
  after(() => here.close());

  test("each account is asked for once, at the endpoint of its partition, and one that is denied takes nothing from the others", async () => {
    const registries = [
      `${one}.dkr.ecr.eu-west-1.amazonaws.com`,
      `${one}.dkr.ecr.eu-west-1.amazonaws.com`,
      `${other}.dkr.ecr.eu-west-1.amazonaws.com`,
      `${denied}.dkr.ecr.eu-west-1.amazonaws.com`,
      `${one}.dkr.ecr-fips.us-gov-west-1.amazonaws.com`,
      `${one}.dkr.ecr.cn-north-1.amazonaws.com.cn`,
      `${one}.dkr-ecr.eu-west-1.on.aws`,
      `${one}.dkr-ecr-fips.us-east-1.on.aws`,
      `${one}.dkr.ecr.us-iso-east-1.c2s.ic.gov`,
      "public.ecr.aws",
      "registry.example",
    ];
    const [from, through] = [cloud.asked.length, here.tunnels.length];
    const { answers, warnings, stderr } = await asked(registries, { ...here.env, ...keys, ...nowhere });
    assert.deepEqual(
      answers.map(({ password }) => password),
      [
        `password-of-${one}-in-eu-west-1`,
        `password-of-${one}-in-eu-west-1`,
        `password-of-${other}-in-eu-west-1`,
        undefined,
        `password-of-${one}-in-us-gov-west-1`,
        `password-of-${one}-in-cn-north-1`,
        `password-of-${one}-in-eu-west-1`,
        `password-of-${one}-in-us-east-1`,
        `password-of-${one}-in-us-iso-east-1`,
        "password-of-public-in-us-east-1",
        undefined,
      ],
    );
    assert.deepEqual(cloud.asked.slice(from).sort(), [
      `200 ecr-public/us-east-1 GetAuthorizationToken [] AKIDEXAMPLE`,
      `200 ecr/cn-north-1 GetAuthorizationToken ["${one}"] AKIDEXAMPLE`,
      `200 ecr/eu-west-1 GetAuthorizationToken ["${one}"] AKIDEXAMPLE`,
      `200 ecr/eu-west-1 GetAuthorizationToken ["${one}"] AKIDEXAMPLE`,
      `200 ecr/eu-west-1 GetAuthorizationToken ["${other}"] AKIDEXAMPLE`,
      `200 ecr/us-east-1 GetAuthorizationToken ["${one}"] AKIDEXAMPLE`,
      `200 ecr/us-gov-west-1 GetAuthorizationToken ["${one}"] AKIDEXAMPLE`,
      `200 ecr/us-iso-east-1 GetAuthorizationToken ["${one}"] AKIDEXAMPLE`,
      `400 ecr/eu-west-1 GetAuthorizationToken ["${denied}"] AKIDEXAMPLE`,
    ]);
    assert.deepEqual([...new Set(here.tunnels.slice(through))].sort(), [
      "api.ecr-fips.us-gov-west-1.amazonaws.com",
      "api.ecr-public.us-east-1.amazonaws.com",
      "api.ecr.cn-north-1.amazonaws.com.cn",
      api,
      "api.ecr.us-iso-east-1.c2s.ic.gov",
      "ecr-fips.us-east-1.api.aws",
      "ecr.eu-west-1.api.aws",
    ]);
    assert.deepEqual(warnings.length, 1);
    assert.match(
      warnings[0] ?? "",
      /^ecr \(account 333333333333 in eu-west-1\): AccessDeniedException: User: .* is not authorized .*; going on without its credentials for 333/,
    );
    const { chosen } = answers[0] ?? {};
    assert.deepEqual(
      [chosen?.kind, chosen?.username, chosen?.source],
      ["password", "AWS", `ecr (account ${one} in eu-west-1)`],
    );
    const hours = (Date.parse(chosen?.expiresAt ?? "") - Date.now()) / 3_600_000;
    assert.ok(hours > 11.9 && hours < 12.1, `${hours} hours`);
    assert.equal(stderr, "");
  });

  test("where nobody is logged in the public registry goes without a word, and a private one says what to do", async () => {
    const registry = `${one}.dkr.ecr.eu-west-1.amazonaws.com`;
    const { answers, warnings } = await asked([registry, "public.ecr.aws"], { ...here.env, ...nowhere });
    assert.deepEqual(
      answers.map(({ chosen }) => chosen.kind),
      ["anonymous", "anonymous"],
    );
    assert.match(
      warnings.join("|"),
      /^ecr \(account 1{12} in eu-west-1\): no AWS credentials here: set AWS_PROFILE,[^|]*$/,
    );
    assert.match(answers[1]?.tried[0]?.said ?? "", /no AWS credentials here/);
  });

  test("a wrong secret is said without what was sent", async () => {
    const registry = `${one}.dkr.ecr.eu-west-1.amazonaws.com`;
    const token = "session-token-that-nobody-may-read";
    const env = { ...here.env, ...keys, ...nowhere, AWS_SECRET_ACCESS_KEY: "wrong-secret", AWS_SESSION_TOKEN: token };
    const { answers, warnings, stderr } = await asked([registry], env);
    assert.match(warnings.join(), /InvalidSignatureException: The request signature we calculated does not match/);
    const said = JSON.stringify([answers, warnings, stderr]);
    for (const secret of [token, "wrong-secret"]) assert.ok(!said.includes(secret), said);
  });

  test("tokens that have ended when they come are used, and told of", async () => {
    const late = amazon({ lifetimeSeconds: -60 });
    const there = await premises({ [api]: late.handler });
    const registry = `${one}.dkr.ecr.eu-west-1.amazonaws.com`;
    const { answers, warnings } = await asked([registry], { ...there.env, ...keys, ...nowhere });
    assert.equal(answers[0]?.password, `password-of-${one}-in-eu-west-1`);
    assert.match(warnings.join(), /what it gave has ended already, by the clock of this machine/);
    await there.close();
  });
});

describe("who we are at Amazon", () => {
  const registry = `${one}.dkr.ecr.eu-west-1.amazonaws.com`;
  let machine: Listener;
  let here: Premises;
  const cloud = amazon();
  before(async () => {
    here = await premises({ [api]: cloud.handler, "sts.eu-west-1.amazonaws.com": cloud.handler });
    machine = await listen(cloud.metadata);
  });
  after(() => Promise.all([here.close(), machine.close()]));
  const ask = async (env: Readonly<Record<string, string>>) => asked([registry], { ...here.env, ...env });

  test("a machine's role, a profile that takes on another account's, and a program that prints more than it should", async () => {
    const byMachine = await ask({ AWS_EC2_METADATA_SERVICE_ENDPOINT: machine.origin });
    assert.equal(byMachine.answers[0]?.password, `password-of-${one}-in-eu-west-1`);
    assert.ok(cloud.asked.includes("PUT /latest/api/token"), cloud.asked.join());
    const home = here.env["HOME"] ?? "";
    mkdirSync(join(home, ".aws"), { recursive: true });
    const program = join(home, "credentials.sh");
    const printed = { Version: 1, AccessKeyId: "AKIDEXAMPLE", SecretAccessKey: "secret-of-the-key" };
    writeFileSync(program, `#!/bin/sh\necho noise >&2\nprintf '%s' '${JSON.stringify(printed)}'\n`, { mode: 0o755 });
    const noisy = join(home, "noisy.sh");
    writeFileSync(noisy, `#!/bin/sh\necho "noise secret-of-the-key"\n`, { mode: 0o755 });
    writeFileSync(
      join(home, ".aws/config"),
      `[profile pulls]\nrole_arn = arn:aws:iam::${one}:role/pull\nsource_profile = base\nregion = eu-west-1\n
[profile base]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = secret-of-the-key\n
[profile program]\ncredential_process = ${program}\n[profile noisy]\ncredential_process = ${noisy}\n`,
    );
    const from = cloud.asked.length;
    const byRole = await ask({ ...nowhere, AWS_PROFILE: "pulls" });
    assert.equal(byRole.answers[0]?.password, `password-of-${one}-in-eu-west-1`, JSON.stringify(byRole));
    assert.match(
      cloud.asked.slice(from).join(),
      new RegExp(`^200 sts/eu-west-1 AssumeRole arn:aws:iam::${one}:role/pull`),
    );
    const byProgram = await ask({ ...nowhere, AWS_PROFILE: "program" });
    assert.equal(byProgram.answers[0]?.password, `password-of-${one}-in-eu-west-1`);
    const byNoise = await ask({ ...nowhere, AWS_PROFILE: "noisy" });
    assert.equal(byNoise.answers[0]?.chosen.kind, "anonymous");
    assert.ok(!JSON.stringify(byNoise).includes("secret-of-the-key"), JSON.stringify(byNoise));
  });

  test("docker-credential-ecr-login gets the same from the same endpoint", async (t) => {
    const peer = findPeer("docker-credential-ecr-login");
    if (peer === undefined) return t.skip("docker-credential-ecr-login is not here");
    const env = { ...here.env, ...keys, ...nowhere, AWS_REGION: "eu-west-1", AWS_ECR_DISABLE_CACHE: "true" };
    const { stdout, stderr } = await finish([peer, "get"], { env, input: registry });
    const { Username, Secret } = JSON.parse(stdout || "{}") as { Username?: string; Secret?: string };
    const [ours] = (await ask({ ...keys, ...nowhere })).answers;
    assert.deepEqual([Username, Secret], [ours?.chosen.username, ours?.password], stderr);
  });
});
