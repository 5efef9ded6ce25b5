import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Listener, listen } from "@dray/testkit";
import { type Google, google, type Premises, premises } from "@dray/testkit/clouds";
import { findPeer, finish } from "@dray/testkit/peers";
import { asked } from "../../test/asked.ts";

const registries = ["gcr.io", "eu.gcr.io", "europe-west4-docker.pkg.dev", "us-docker.pkg.dev"];
/** No metadata server: a port where nobody listens. */
const nowhere = { GCE_METADATA_HOST: "127.0.0.1:1", METADATA_SERVER_DETECTION: "none" };

describe("Google's registries", () => {
  const cloud: Google = google();
  let here: Premises;
  let machine: Listener;
  before(async () => {
    here = await premises({ "oauth2.googleapis.com": cloud.handler });
    machine = await listen(cloud.metadata);
  });
  after(() => Promise.all([here.close(), machine.close()]));
  const file = (name: string, text: string, mode = 0o600): string => {
    const path = join(here.env["HOME"] ?? "", name);
    writeFileSync(path, text, { mode });
    return path;
  };

  test("the key of a service account: one token for all of their registries", async () => {
    const from = cloud.asked.length;
    const env = { ...here.env, ...nowhere, GOOGLE_APPLICATION_CREDENTIALS: file("key.json", cloud.keyFile) };
    const { answers, warnings, stderr } = await asked([...registries, "registry.example"], env);
    assert.deepEqual(
      answers.map(({ password }) => password),
      [...registries.map(() => "token-by-key"), undefined],
      JSON.stringify([warnings, answers]),
    );
    assert.deepEqual(cloud.asked.slice(from), ["200 token jwt-bearer"]);
    const { chosen } = answers[0] ?? {};
    assert.deepEqual([chosen?.username, chosen?.source], ["oauth2accesstoken", "google (key of a service account)"]);
    const minutes = (Date.parse(chosen?.expiresAt ?? "") - Date.now()) / 60_000;
    assert.ok(minutes > 55 && minutes < 61, `${minutes} minutes`);
    assert.deepEqual([warnings, stderr], [[], ""]);
  });

  test("a key that the program names, without a word of the library's", async () => {
    const key = file("named.json", cloud.keyFile);
    const named = await asked(["gcr.io"], { ...here.env, ...nowhere, ASK_KEY_FILE: key });
    assert.deepEqual([named.answers[0]?.password, named.warnings, named.stderr], ["token-by-key", [], ""]);
    const absent = await asked(["gcr.io"], { ...here.env, ...nowhere, ASK_KEY_FILE: `${key}.none` });
    assert.deepEqual([absent.answers[0]?.password, absent.stderr], [undefined, ""]);
    assert.match(absent.warnings.join(), /^google: .* does not exist, or it is not a file/);
  });

  test("what gcloud auth application-default login has left", async () => {
    const env = { ...here.env, ...nowhere, GOOGLE_APPLICATION_CREDENTIALS: file("login.json", cloud.loginFile) };
    const [answer] = (await asked(["gcr.io"], env)).answers;
    assert.deepEqual(
      [answer?.password, answer?.chosen.source],
      ["token-by-login", "google (application-default login)"],
    );
  });

  test("the metadata server", async () => {
    const env = { ...here.env, GCE_METADATA_HOST: new URL(machine.origin).host };
    const { answers, warnings } = await asked(["gcr.io", "us-docker.pkg.dev"], env);
    assert.deepEqual(
      answers.map(({ password }) => password),
      ["token-by-metadata", "token-by-metadata"],
      warnings.join(),
    );
    assert.equal(answers[0]?.chosen.source, "google (metadata server)");
    assert.equal(cloud.asked.filter((each) => each.includes("default/token")).length, 1);
  });

  test("whoever gcloud is logged in as, without what it prints beside that", async () => {
    const folder = join(here.env["HOME"] ?? "", "bin");
    mkdirSync(folder, { recursive: true });
    const expiry = new Date(Date.now() + 3_600_000).toISOString();
    const printed = JSON.stringify({ credential: { access_token: "token-by-gcloud", token_expiry: expiry } });
    file(
      "bin/gcloud",
      `#!/bin/sh\n[ "$1 $2" = "config config-helper" ] || exit 9\necho noise >&2\necho '${printed}'\n`,
      0o755,
    );
    const env = { ...here.env, ...nowhere, PATH: `${folder}:${here.env["PATH"]}` };
    const { answers, warnings, stderr } = await asked(["gcr.io"], env);
    assert.deepEqual(
      [answers[0]?.password, answers[0]?.chosen.expiresAt],
      ["token-by-gcloud", expiry],
      warnings.join(),
    );
    assert.equal(stderr, "");
    file(
      "bin/gcloud",
      "#!/bin/sh\necho 'ERROR: (gcloud.config.config-helper) You do not currently have an active account selected.' >&2\nexit 1\n",
      0o755,
    );
    const nobody = await asked(["gcr.io"], env);
    assert.deepEqual([nobody.answers[0]?.chosen.kind, nobody.warnings], ["anonymous", []]);
    file("bin/gcloud", "#!/bin/sh\necho token-by-gcloud\n", 0o755);
    const broken = await asked(["gcr.io"], env);
    assert.match(broken.warnings.join(), /^google: gcloud printed something that is no credential/);
    assert.ok(!JSON.stringify(broken).includes("token-by-gcloud"));
  });

  test("nobody is logged in: without a word; a file that makes no sense is said", async () => {
    const { answers, warnings } = await asked(["gcr.io"], { ...here.env, ...nowhere });
    assert.deepEqual([answers[0]?.chosen.kind, warnings], ["anonymous", []]);
    assert.match(answers[0]?.tried[0]?.said ?? "", /nobody is logged in to Google here/);
    const env = {
      ...here.env,
      ...nowhere,
      GOOGLE_APPLICATION_CREDENTIALS: join(here.env["HOME"] ?? "", "missing.json"),
    };
    assert.match(
      (await asked(["gcr.io"], env)).warnings.join(),
      /^google: .*missing\.json.*; going on without its credentials for gcr\.io$/,
    );
  });

  test("a metadata server that hangs delays nobody else, and one that redirects is not followed with a token", async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const env = {
      ...here.env,
      GCE_METADATA_HOST: `127.0.0.1:${(silent.address() as AddressInfo).port}`,
      ASK_TIMEOUT: "500",
    };
    const { answers, warnings } = await asked(["gcr.io", "registry.example"], {
      ...env,
      METADATA_SERVER_DETECTION: "assume-present",
    });
    assert.deepEqual(
      answers.map(({ chosen }) => chosen.kind),
      ["anonymous", "anonymous"],
    );
    assert.match(warnings.join(), /^google: did not answer within 0\.5 s and was given up; going on without/);
    silent.close();
  });

  test("tokens whose life is nothing or less are used and not asked for with each request", async () => {
    for (const expiresIn of [0, -5]) {
      const late = google({ expiresIn });
      const there = await premises({ "oauth2.googleapis.com": late.handler });
      const env = { ...there.env, ...nowhere, GOOGLE_APPLICATION_CREDENTIALS: file("late.json", late.keyFile) };
      const { answers } = await asked(registries, env);
      assert.deepEqual(
        answers.map(({ password }) => password),
        registries.map(() => "token-by-key"),
      );
      assert.ok(late.asked.length <= 2, late.asked.join());
      await there.close();
    }
  });

  test("gcrane gets the same from the same endpoint", async (t) => {
    const peer = findPeer("gcrane");
    if (peer === undefined) return t.skip("gcrane is not here");
    const env = { ...here.env, GOOGLE_APPLICATION_CREDENTIALS: file("key.json", cloud.keyFile) };
    const { stdout, stderr } = await finish([peer, "auth", "get", "gcr.io"], { env });
    assert.equal((JSON.parse(stdout || "{}") as { Secret?: string }).Secret, "token-by-key", stderr);
    assert.equal((await asked(["gcr.io"], { ...env, ...nowhere })).answers[0]?.password, "token-by-key");
  });
});
