import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answerWith, type Fault, type MemoryRegistryOptions, memoryRegistry, rewrite } from "@dray/testkit";
import { type Against, against, failsWith } from "../../test/registry-client.ts";
import { isDrayError } from "../errors.ts";
import type { TagsOptions } from "./tags.ts";

const tags = Array.from({ length: 25 }, (_, i) => `v${String(i).padStart(2, "0")}`);

interface Setup extends Against {
  list(options?: TagsOptions): Promise<string[]>;
  /** Targets that were asked for, without what they have in common. */
  asked(): string[];
}

const setup = (options: MemoryRegistryOptions = {}, rules: readonly Fault[] = []): Setup => {
  const registry = memoryRegistry(options);
  registry.addTags("a/b", tags);
  const at = against(registry, rules);
  return {
    ...at,
    list: (given) => Array.fromAsync(at.repository.tags(given)),
    asked: () => at.log.select().map(({ target }) => target.replace(/^\/v2\/(a\/b\/tags\/list|_catalog)/, "")),
  };
};
const page = (body: string, headers: Record<string, string> = {}): Fault["effect"] =>
  answerWith(200, { "Content-Type": "application/json", ...headers }, body);

describe("tags", () => {
  test("page after page, as they are asked for", async () => {
    const at = setup({ pageSize: 10 });
    assert.deepEqual(await at.list(), tags);
    assert.deepEqual(at.asked(), ["?n=1000", "?n=10&last=v09", "?n=10&last=v19"]);
  });

  test("nobody asks for a page that nobody wants", async () => {
    const at = setup({ pageSize: 10 });
    for await (const tag of at.client.repository("a/b").tags()) if (tag === "v03") break;
    assert.equal(at.log.count(), 1);
  });

  test("size and begin of pages", async () => {
    const at = setup();
    assert.deepEqual(await at.list({ pageSize: 20, last: "v03" }), tags.slice(4));
    assert.deepEqual(await at.list({ pageSize: 0 }), tags);
    assert.deepEqual(at.asked(), ["?n=20&last=v03", "?n=20&last=v23", ""]);
  });

  const quirks: readonly (readonly [
    what: string,
    options: MemoryRegistryOptions,
    list: TagsOptions,
    asked: string[],
  ])[] = [
    ["pages that are too large are made smaller", { largestPage: 1000 }, { pageSize: 5000 }, ["?n=5000", "?n=1000"]],
    ["pages that are never right are left to the registry", { largestPage: 10 }, {}, ["?n=1000", ""]],
  ];
  for (const [what, options, list, asked] of quirks)
    test(what, async () => {
      const at = setup(options);
      assert.deepEqual(await at.list(list), tags);
      assert.deepEqual(at.asked(), asked);
    });

  test("400 for a page that is too large", async () => {
    const at = setup({}, [{ target: "n=1000", effect: answerWith(400) }]);
    assert.deepEqual(await at.list(), tags);
  });

  for (const link of [
    '<https://r.test/v2/a/b/tags/list?n=10&last=v09>; rel="next"',
    "<?n=10&last=v09>; rel=next",
    '</v2/b/tags/list?n=10&last=v09>; rel="next"',
    '<https://elsewhere.test/v2/a/b/tags/list?n=10&last=v09>; rel="next"',
    '<http://r.test/v2/a/b/tags/list?n=10&last=v09>; rel="next"',
    '</prev?n=10>; rel="prev", </v2/a/b/tags/list?n=10&last=v09>; rel="next"',
  ])
    test(`a link leads to the next page here, never elsewhere: ${link}`, async () => {
      const at = setup({ pageSize: 10 }, [{ nth: 1, effect: rewrite({ Link: link }) }]);
      assert.deepEqual(await at.list(), tags);
      assert.deepEqual(at.asked().slice(0, 2), ["?n=1000", "?n=10&last=v09"]);
      assert.ok(at.log.entries.every(({ origin }) => origin === "https://r.test"));
    });

  test("pages that go round in circles end, with a word", async () => {
    const at = setup({ pageSize: 10 }, [{ effect: rewrite({ Link: '</?n=10&last=v09>; rel="next"' }) }]);
    assert.deepEqual(await at.list(), [...tags.slice(0, 10), ...tags.slice(10, 20)]);
    assert.equal(at.log.count(), 2);
    assert.equal(at.events.filter(({ type }) => type === "warning").length, 1);
  });

  for (const body of ['{"name":"a/b","tags":null}', '{"name":"a/b"}', '{"tags":[]}'])
    test(`none: ${body}`, async () => assert.deepEqual(await setup({}, [{ effect: page(body) }]).list(), []));

  for (const body of ["", "[]", "<html>", '{"tags":"x"}', '{"tags":[1]}'])
    test(`no list: ${body}`, async () =>
      assert.rejects(setup({}, [{ effect: page(body) }]).list(), failsWith("REGISTRY")));

  test("a repository that does not exist", async () => {
    await assert.rejects(
      Array.fromAsync(setup().client.repository("no/such").tags()),
      (error) => isDrayError(error, "NOT_FOUND") && error.message.includes("r.test/no/such"),
    );
  });

  test("a page of 100,000 and pages of 1,000 are the same list", async () => {
    const many = Array.from({ length: 100_000 }, (_, i) => `t${i}`);
    for (const options of [{}, { pageSize: 1000 }]) {
      const at = setup(options);
      at.registry.addTags("many", many);
      let count = 0;
      for await (const _ of at.client.repository("many").tags()) count++;
      assert.equal(count, many.length);
    }
  });
});

describe("the catalog", () => {
  test("page after page", async () => {
    const at = setup({ pageSize: 1 });
    for (const name of ["z", "c/d"]) at.registry.addTags(name, ["x"]);
    assert.deepEqual(await Array.fromAsync(at.client.catalog()), ["a/b", "c/d", "z"]);
    assert.deepEqual(await Array.fromAsync(at.client.catalog({ pageSize: 2 })), ["a/b", "c/d", "z"]);
    assert.deepEqual(at.asked().slice(0, 2), ["?n=1000", "?n=1&last=a%2Fb"]);
  });

  test("a registry that does not tell", async () => {
    const at = setup({}, [{ effect: answerWith(404) }]);
    await assert.rejects(Array.fromAsync(at.client.catalog()), failsWith("UNSUPPORTED"));
  });
});
