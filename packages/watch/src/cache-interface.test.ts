import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestKey, repositoryKey } from "./cache-interface.ts";
import { parseRepository } from "./repository.ts";

test("keys are those of a running cache: Docker Hub by its older name, everything else as it is called", () => {
  for (const [name, inKeys] of [
    ["alpine", "index.docker.io/library/alpine"],
    ["docker.io/fluxcd/flux", "index.docker.io/fluxcd/flux"],
    ["quay.io/team/app", "quay.io/team/app"],
    ["localhost:5000/arbitrary/path/to/repo", "localhost:5000/arbitrary/path/to/repo"],
  ] as const) {
    assert.equal(manifestKey(parseRepository(name), "1.0"), `registryhistoryv3|${inKeys}|1.0`);
    assert.equal(repositoryKey(parseRepository(name)), `registryrepov4|${inKeys}`);
  }
});
