import assert from "node:assert/strict";
import { test } from "node:test";
import { DrayError } from "dray/errors";
import { adviceOn } from "./advice.ts";

const refused = (reference: string, code: "UNAUTHORIZED" | "NOT_FOUND" = "UNAUTHORIZED"): DrayError =>
  new DrayError(code, "reading", { registry: reference.split("/")[0], reference });

test("who was refused by Docker Hub hears that it was asked, and why it may say so", async () => {
  const error = refused("docker.io/team/app:1.0");
  const says = `"team/app:1.0" names no registry, so Docker Hub was asked, which answers so to what it does not have, too`;
  assert.equal(await adviceOn(error, ["digest", "team/app:1.0"]), says);
  for (const named of ["docker.io/team/app:1.0", "index.docker.io/team/app:1.0", "docker://team/app:1.0"])
    assert.equal(await adviceOn(error, ["digest", named]), "", named);
});

test("words that are about something else, a password among them, are not looked at", async () => {
  const words = ["digest", "--username", "team", "--password", "team/secret", "registry.example.com/team/app:1.0"];
  assert.equal(await adviceOn(refused("registry.example.com/team/app:1.0"), words), "");
  assert.equal(await adviceOn(refused("docker.io/team/app:1.0"), words), "");
  for (const registry of ["localhost:5000", "registry.example.com:443"])
    assert.equal(await adviceOn(refused(registry), ["auth", "login", registry]), "", registry);
  assert.equal(await adviceOn(new DrayError("NETWORK", "no reference"), ["", "oci:x", "dir:y"]), "");
});
