import assert from "node:assert/strict";
import { test } from "node:test";
import { answerWith, cutResponse, faults, memoryRegistry } from "@dray/testkit";
import { isDrayError } from "dray/errors";
import { clients } from "../../test/clients.ts";

const list = (...tags: readonly (string | null)[]): string => JSON.stringify({ name: "team/app", tags });
const json = { "Content-Type": "application/json" };

test("tags come page after page, in the registry's order", async () => {
  const registry = memoryRegistry({ pageSize: 1000 });
  const names = Array.from({ length: 4_500 }, (_, i) => `v1.${String(i).padStart(5, "0")}`);
  registry.addTags("team/app", names);
  const { client } = clients({}, registry);
  assert.deepEqual(await (await client()).tags(), { tags: names, complete: true, faults: [] });
  assert.equal(registry.log.count({ target: "/tags/list" }), 5);
});

test("registries that refuse a page of 1000 are asked for one of the size they like", async () => {
  const refusal = JSON.stringify({
    errors: [{ code: "TOO_MANY_TAGS_REQUESTED", message: "requested limit 1000 is too high, max is 100" }],
  });
  for (const status of [400, 405]) {
    const registry = memoryRegistry({ pageSize: 100 });
    const names = Array.from({ length: 250 }, (_, i) => `v${String(i).padStart(3, "0")}`);
    registry.addTags("team/app", names);
    const handler = faults(registry.handler, [{ target: "n=1000", effect: answerWith(status, json, refusal) }]);
    const { client } = clients({}, registry, handler);
    assert.deepEqual(await (await client()).tags(), { tags: names, complete: true, faults: [] });
  }
});

test("a tag that is listed twice counts once, and a name that is no tag is left out; both are told", async () => {
  const registry = memoryRegistry();
  const page = list("a", "b", "a", "", "no tag", "c");
  const handler = faults(registry.handler, [{ target: "/tags/list", effect: answerWith(200, json, page) }]);
  const { tags, complete, faults: told } = await (await clients({}, registry, handler).client()).tags();
  assert.deepEqual(tags, ["a", "b", "c"]);
  assert.equal(complete, true);
  assert.deepEqual(told, ["the list names 1 tags more than once", "the list has 2 names that are no tags"]);
});

test("a list that goes round in circles, or ends in a link that makes no sense, is not complete", async () => {
  for (const link of ['</v2/team/app/tags/list?last=a>; rel="next"', "???"]) {
    const registry = memoryRegistry();
    const effect = answerWith(200, { ...json, Link: link }, list("a"));
    const { client } = clients({}, registry, faults(registry.handler, [{ target: "/tags/list", effect }]));
    const { tags, complete, faults: told } = await (await client()).tags();
    assert.deepEqual(tags, ["a"]);
    assert.equal(complete, false, link);
    assert.match(told[0] ?? "", /registry\.example .* listing .*team\/app; the list ends here/);
  }
});

test("a list that is cut off, is no list or holds no names is an error and never a short list", async () => {
  for (const effect of [
    cutResponse(200),
    answerWith(200, { "Content-Type": "text/html" }, "<html>"),
    answerWith(200, json, list("a", null)),
    answerWith(200, json, '{"errors":[{"code":"UNKNOWN","message":"try again"}]}'),
    answerWith(500),
  ]) {
    const registry = memoryRegistry({ pageSize: 100 });
    registry.addTags(
      "team/app",
      Array.from({ length: 200 }, (_, i) => `tag-${i}`),
    );
    const handler = faults(registry.handler, [{ target: "last=", effect }]);
    await assert.rejects((await clients({}, registry, handler).client()).tags(), (error) =>
      isDrayError(error, "NETWORK", "REGISTRY"),
    );
  }
});

test("a repository that is not there is an error; one without tags has none", async () => {
  const registry = memoryRegistry();
  const { client } = clients({}, registry);
  await assert.rejects((await client()).tags(), (error) => isDrayError(error, "NOT_FOUND"));
  const none = faults(registry.handler, [
    { target: "/tags/list", effect: answerWith(200, json, '{"name":"x","tags":null}') },
  ]);
  assert.deepEqual(await (await clients({}, registry, none).client()).tags(), { tags: [], complete: true, faults: [] });
});

test("every call ends with its signal", async () => {
  const { registry, client } = clients();
  registry.addTags("team/app", ["a"]);
  const app = await client();
  const signal = AbortSignal.abort();
  for (const call of [app.tags({ signal }), app.digest("a", { signal }), app.manifest("a", { signal })])
    await assert.rejects(call, (error) => isDrayError(error, "ABORTED"));
});
