import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { dockerConfig } from "./docker-config.ts";
import { environment } from "./environment.ts";
import { chain, explain } from "./keychain.ts";

const home = temporaryFolder("explain");
test("every source that was asked, what it said, and the chosen one; never the secret", async () => {
  const jwt = `e30.${Buffer.from('{"exp":1800000000}').toString("base64url")}.hunter2`;
  await mkdir(join(home, ".docker"));
  await mkdir(join(home, ".config/containers"), { recursive: true });
  const docker = join(home, ".docker/config.json");
  const podman = join(home, ".config/containers/auth.json");
  await writeFile(docker, JSON.stringify({ auths: { "b.test": {} }, credsStore: "desktop" }));
  const auth = Buffer.from("ann:hunter2").toString("base64");
  await writeFile(podman, JSON.stringify({ auths: { "a.test/team": { auth, identitytoken: jwt } } }));
  const env = { PATH: "", DRAY_REGISTRY_HOSTNAME: "c.test", DRAY_REGISTRY_PASSWORD: "hunter2" };

  const explanation = await explain(
    { registry: "a.test", repository: "team/app" },
    chain(environment(env), dockerConfig({ env, home })),
  );
  assert.deepEqual(explanation, {
    registry: "a.test",
    repository: "team/app",
    tried: [
      { source: "DRAY_REGISTRY_*", said: "none for a.test" },
      { source: "DOCKER_AUTH_CONFIG", said: "not set" },
      { source: `docker-credential-desktop (credsStore in ${docker})`, said: "is not in PATH" },
      { source: docker, said: "no entry for a.test" },
      { source: `${podman} (auths, "a.test/team")`, said: "identity token of ann" },
    ],
    chosen: {
      kind: "identity token",
      source: `${podman} (auths, "a.test/team")`,
      username: "ann",
      expiresAt: new Date(1_800_000_000_000),
    },
  });
  assert.doesNotMatch(JSON.stringify(explanation), /hunter2/);
});

test("nothing found is anonymous", async () => {
  const { tried, chosen } = await explain(
    { registry: "a.test" },
    chain(environment({}), dockerConfig({ env: {}, home: "/nonexistent" })),
  );
  assert.deepEqual(chosen, { kind: "anonymous" });
  assert.deepEqual(
    tried.map(({ said }) => said),
    ["not set", "not set", "no such file", "no such file"],
  );
});
