import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Listener, listen } from "@dray/testkit";
import { type Amazon, amazon, type Premises, premises } from "@dray/testkit/clouds";
import { finish } from "@dray/testkit/peers";
import { eksAccounts } from "./image-creds.ts";

const [one, other, denied] = ["111111111111", "222222222222", "333333333333"];
const keys = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret-of-the-key" };
const nowhere = { AWS_EC2_METADATA_DISABLED: "true" };
const at = (account: string, region: string, name = "app"): string =>
  `${account}.dkr.ecr.${region}.amazonaws.com/${name}`;

interface LookedUp {
  readonly before: readonly string[] | string;
  readonly kept: readonly string[];
  readonly passwords: readonly (string | null)[];
  readonly warnings: readonly string[];
  readonly leftOut: readonly string[];
}

describe("credentials of Amazon ECR by image", () => {
  let cloud: Amazon;
  let here: Premises;
  let machine: Listener;
  before(async () => {
    cloud = amazon({ denied: [denied] });
    const hosts = [
      "api.ecr.eu-west-1.amazonaws.com",
      "api.ecr.us-east-1.amazonaws.com",
      "api.ecr.cn-north-1.amazonaws.com.cn",
    ];
    here = await premises(Object.fromEntries(hosts.map((host) => [host, cloud.handler])));
    machine = await listen(cloud.metadata);
  });
  after(() => Promise.all([here.close(), machine.close()]));

  const lookedUp = async (asked: object, env: Readonly<Record<string, string>>): Promise<LookedUp> => {
    const program = fileURLToPath(new URL("../../test/look-up.ts", import.meta.url));
    const bare = Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined]));
    const { code, stdout, stderr } = await finish([process.execPath, program, JSON.stringify(asked)], {
      env: { ...bare, NO_COLOR: "1", ...here.env, ...env },
    });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as LookedUp;
  };

  test("lie below those of each image; other regions and accounts are left out, and each is told once", async () => {
    const from = cloud.asked.length;
    const images = [
      at(one, "eu-west-1"),
      at(one, "eu-west-1", "second"),
      at(other, "eu-west-1"),
      at(denied, "eu-west-1"),
      at("444444444444", "eu-west-1"),
      at("555555555555", "eu-west-1"),
      at(one, "ap-south-1"),
      `${one}.dkr.ecr.cn-north-1.amazonaws.com.cn/app`,
      "quay.io/team/app",
      "bucket.s3.amazonaws.com/app",
    ];
    const options = {
      regions: ["eu-west-1", "us-east-1", "cn-north-1"],
      accountIDs: [one, other, denied, "555555555555"],
      blockIDs: ["555555555555"],
    };
    const own = { [at(other, "eu-west-1")]: "of-the-image", "quay.io/team/app": "of-quay" };
    const { before, kept, passwords, warnings, leftOut } = await lookedUp(
      { images, own, options },
      { ...keys, ...nowhere },
    );
    assert.deepEqual(before, options.regions);
    const gone = images.slice(4, 7);
    assert.deepEqual(
      kept,
      images.filter((image) => !gone.includes(image)),
    );
    assert.deepEqual(passwords, [
      `password-of-${one}-in-eu-west-1`,
      `password-of-${one}-in-eu-west-1`,
      "of-the-image",
      null,
      null,
      null,
      null,
      `password-of-${one}-in-cn-north-1`,
      "of-quay",
      null,
    ]);
    assert.deepEqual(leftOut, [
      `${gone[0]}: the account 444444444444 is none of those that count`,
      `${gone[1]}: the account 555555555555 is one of those that never count`,
      `${gone[2]}: it lies in ap-south-1, and images of eu-west-1, us-east-1, cn-north-1 count`,
    ]);
    assert.equal(warnings.length, 2);
    assert.ok(
      warnings.some((each) => each.startsWith("ecr (account 333333333333 in eu-west-1): AccessDenied")),
      warnings.join(),
    );
    assert.ok(warnings.some((each) => each.startsWith("ecr: bucket.s3.amazonaws.com is no registry of Amazon's")));
    // One token for each account and region, whoever asks at the same time.
    assert.deepEqual(cloud.asked.slice(from).sort(), [
      `200 ecr/cn-north-1 GetAuthorizationToken ["${one}"] AKIDEXAMPLE`,
      `200 ecr/eu-west-1 GetAuthorizationToken ["${one}"] AKIDEXAMPLE`,
      `200 ecr/eu-west-1 GetAuthorizationToken ["${other}"] AKIDEXAMPLE`,
      `400 ecr/eu-west-1 GetAuthorizationToken ["${denied}"] AKIDEXAMPLE`,
    ]);
  });

  test("the region is that of Amazon's configuration, else that of the machine; EKS's own accounts never count", async () => {
    const images = [
      at(one, "eu-west-1"),
      at(one, "us-east-1"),
      ...eksAccounts.map((account) => at(account, "us-east-1")),
    ];
    const metadata = { AWS_EC2_METADATA_SERVICE_ENDPOINT: machine.origin };
    const configured = await lookedUp({ images, options: {} }, { ...keys, ...metadata, AWS_REGION: "us-east-1" });
    assert.deepEqual([configured.before, configured.kept], [["us-east-1"], [at(one, "us-east-1")]]);
    assert.equal(configured.leftOut.filter((each) => each.endsWith("is one of those that never count")).length, 2);
    const onMachine = await lookedUp({ images, options: {} }, { ...keys, ...metadata });
    assert.deepEqual([onMachine.before, onMachine.kept], [["eu-west-1"], [at(one, "eu-west-1")]]);
    assert.deepEqual(onMachine.passwords[0], `password-of-${one}-in-eu-west-1`);
  });

  test("where no region is known every image at Amazon is left out, and that is said once", async () => {
    const images = [at(one, "eu-west-1"), "quay.io/team/app"];
    for (const env of [nowhere, { AWS_EC2_METADATA_SERVICE_ENDPOINT: "http://127.0.0.1:1" }]) {
      const { before, kept, warnings, leftOut } = await lookedUp({ images, options: {} }, { ...keys, ...env });
      assert.match(
        String(before),
        /^no AWS region is known here: AWS_REGION and .* name none, and .*; name the regions$/,
      );
      assert.deepEqual(kept, ["quay.io/team/app"]);
      assert.deepEqual(leftOut, [`${images[0]}: no region is known whose images count`]);
      assert.equal(warnings.length, 1, warnings.join());
      assert.match(warnings[0] ?? "", /^ecr: no AWS region is known here: .*; images at Amazon are left out$/);
    }
  });
});
