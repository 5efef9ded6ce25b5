import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { memoryRegistry, put, sampleImage, tokenServer } from "@dray/testkit";
import { anonymous, staticCredential } from "../auth/index.ts";
import { isDrayError } from "../errors.ts";
import { connect } from "./connect.ts";
import type { ConnectOptions } from "./connect-options.ts";

const quiet: ConnectOptions = { credentials: anonymous, stateDir: false, plainHttp: true };

describe("a path below which everything lies", () => {
  test("repositories are below it, and their names and messages say so", async () => {
    const memory = memoryRegistry();
    const image = put(memory, "tenants/blue/app", "v1", sampleImage());
    const registry = connect("r.test", { ...quiet, prefix: "tenants/blue", connection: memory.handler });
    const repository = registry.repository("app");
    assert.equal(repository.name, "tenants/blue/app");
    assert.equal(registry.repository("app"), repository);
    assert.equal((await repository.resolve("v1")).digest, image.digest);
    await assert.rejects(
      repository.resolve("v2"),
      (error) => isDrayError(error, "NOT_FOUND") && error.message.includes("r.test/tenants/blue/app:v2"),
    );
    await registry.close();
  });

  test("the catalog is what is below, by the names that repository() takes", async () => {
    const memory = memoryRegistry({ pageSize: 2 });
    for (const name of ["a", "tenants/blue", "tenants/blue/a", "tenants/blue/b/c", "tenants/blue/d", "tenants/bluer/x"])
      put(memory, name, "v1", sampleImage());
    const registry = connect("r.test", { ...quiet, prefix: "tenants/blue", connection: memory.handler });
    assert.deepEqual(await Array.fromAsync(registry.catalog()), ["a", "b/c", "d"]);
    assert.deepEqual(await Array.fromAsync(registry.catalog({ last: "a" })), ["b/c", "d"]);
    assert.deepEqual((await Array.fromAsync(registry.catalog().pages())).flat(), ["a", "b/c", "d"]);
    await registry.close();
  });

  test("a token is asked for what is really meant, and credentials by the path are found", async () => {
    const tokens = tokenServer({ users: { ann: "sEcret" } });
    const memory = memoryRegistry({ access: { scheme: "bearer", tokens, realm: "https://r.test/token" } });
    put(memory, "tenants/blue/app", "v1", sampleImage());
    const asked: string[] = [];
    const registry = connect("r.test", {
      ...quiet,
      prefix: "tenants/blue",
      credentials: staticCredential({ username: "ann", password: "sEcret", source: "test" }, "r.test/tenants/blue"),
      connection: (request) => {
        if (!request.target.startsWith("/token")) return memory.handler(request);
        asked.push(decodeURIComponent(request.target));
        return tokens.handler(request);
      },
    });
    await registry.repository("app").resolve("v1");
    assert.equal(asked.length, 1);
    assert.match(asked[0] ?? "", /scope=repository:tenants\/blue\/app:pull/);
    await registry.close();
  });

  test("what is no path is refused", () => {
    for (const prefix of ["", "/a", "a/", "A", "a b"])
      assert.throws(
        () => connect("r.test", { ...quiet, prefix }),
        (error) => isDrayError(error, "USAGE") && error.message.includes("option prefix"),
        prefix,
      );
  });
});
