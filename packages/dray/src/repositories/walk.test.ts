import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answerWith, faults, googleListing, memoryRegistry, put, sampleImage } from "@dray/testkit";
import { clientOf, failsWith } from "../../test/registry-client.ts";
import { respondJson } from "../../test/respond-json.ts";
import type { Handler } from "../http/index.ts";
import { walkRepositories } from "./walk.ts";

const image = sampleImage();
const names = ["other", "team", "team/app", "team/app/web/x", "team/lib", "teammate"];
const filled = () => {
  const memory = memoryRegistry({ pageSize: 2 });
  for (const name of names) put(memory, name, "v1", image);
  return memory;
};

/** What a walk comes by: the path, and how many tags it has or why not. */
const walked = async (handler: Handler, path: string): Promise<string[]> => {
  const client = clientOf(handler);
  const found: string[] = [];
  try {
    for await (const { path: name, error, ...rest } of walkRepositories(client, path))
      found.push(`${name} ${error?.code ?? ("contents" in rest ? rest.contents.tags.length : "")}`);
  } finally {
    await client.close();
  }
  return found;
};

describe("a walk over repositories", () => {
  test("by Google's lists: the upper ones first, also what is only a path to others", async () => {
    const memory = filled();
    assert.deepEqual(await walked(googleListing(memory)(memory.handler), "team"), [
      "team 1",
      "team/app 1",
      "team/app/web 0",
      "team/app/web/x 1",
      "team/lib 1",
    ]);
  });

  test("by the catalog elsewhere, and of all that a registry has", async () => {
    const { handler } = filled();
    assert.deepEqual(await walked(handler, "team"), ["team 1", "team/app 1", "team/app/web/x 1", "team/lib 1"]);
    assert.deepEqual(await walked(handler, "team/app/web"), ["team/app/web/x 1"]);
    assert.deepEqual(
      await walked(handler, ""),
      names.map((name) => `${name} 1`),
    );
  });

  test("each once, also where pages of the catalog overlap", async () => {
    const { handler } = filled();
    const repositories = ["team", "team/app", "team/app", "team/lib", "team/app"];
    const overlapping = faults(handler, [
      {
        target: "/v2/_catalog",
        effect: answerWith(200, { "Content-Type": "application/json" }, JSON.stringify({ repositories })),
      },
    ]);
    assert.deepEqual(await walked(overlapping, "team"), ["team 1", "team/app 1", "team/lib 1"]);
  });

  test("goes on where one repository does not tell what it holds", async () => {
    const memory = filled();
    const rules = [{ method: "GET", target: "/v2/team/app/tags/list", effect: answerWith(403) }];
    for (const handler of [memory.handler, googleListing(memory)(memory.handler)])
      assert.deepEqual(
        (await walked(faults(handler, rules), "team")).filter((line) => /^team\/(?:app|lib) /.test(line)),
        ["team/app DENIED", "team/lib 1"],
      );
  });

  test("of what is not there says so, and of a registry without a catalog after what is there", async () => {
    const { handler } = filled();
    await assert.rejects(walked(handler, "none"), failsWith("NOT_FOUND"));
    const silent = faults(handler, [{ target: "/v2/_catalog", effect: answerWith(404) }]);
    const client = clientOf(silent);
    const walk = walkRepositories(client, "team");
    assert.equal((await walk.next()).value?.path, "team");
    await assert.rejects(walk.next(), failsWith("UNSUPPORTED"));
    await client.close();
  });

  test("goes no further into names that cannot be", async () => {
    const said = { name: "a", tags: [], manifest: {}, child: ["..", "", "A", "b/../c"] };
    assert.deepEqual(await walked(respondJson(said), "a"), [
      "a 0",
      "a/.. REFERENCE_INVALID",
      "a/ REFERENCE_INVALID",
      "a/A REFERENCE_INVALID",
      "a/b/../c REFERENCE_INVALID",
    ]);
  });
});
