import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answerWith, memoryRegistry } from "@dray/testkit";
import { clientOf } from "../../test/registry-client.ts";
import type { ProgressEvent } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import type { Handler } from "../http/index.ts";

type Page = readonly [names: readonly string[], link?: string];

/** Lists tags by query, as a registry does that answers with these pages. */
const listing = async (page: (query: string) => Page, options: { pageSize?: number } = {}) => {
  const asked: string[] = [];
  const heard: string[] = [];
  const handler: Handler = async (request) => {
    const query = request.target.replace(/^[^?]*/, "");
    asked.push(query);
    const [tags, link] = page(query);
    return answerWith(
      200,
      link === undefined ? {} : { Link: link },
      JSON.stringify({ tags }),
    )(request, memoryRegistry().handler);
  };
  const onEvent = (event: ProgressEvent): void => {
    if (event.type === "warning") heard.push(event.message);
  };
  const tags = await Array.fromAsync(clientOf(handler, { onEvent }).repository("a/b").tags(options));
  return { tags, asked, heard };
};

describe("odd lists", () => {
  const path = "/v2/a/b/tags/list?last=1";
  for (const link of [
    `<${path}>`,
    `<${path}>; rel='next'`,
    `${path}; rel="next"`,
    `<https://x.test/y?last=1>;rel=next`,
  ])
    test(`are followed: ${link}`, async () => {
      const { tags, asked } = await listing((query) => (query === "?last=1" ? [["2"]] : [["1"], link]));
      assert.deepEqual(
        [tags, asked],
        [
          ["1", "2"],
          ["?n=1000", "?last=1"],
        ],
      );
    });

  test("a Link that nobody can read is told of", async () => {
    const { tags, heard } = await listing(() => [["1"], "next page please"]);
    assert.deepEqual(tags, ["1"]);
    assert.match(heard[0] ?? "", /sends a Link that makes no sense listing r\.test\/a\/b/);
  });

  test("a Link to the first page is a circle at once", async () => {
    const { tags, asked, heard } = await listing(() => [["1", "2"], "</v2/a/b/tags/list?n=1000>; rel=next"]);
    assert.deepEqual([tags, asked.length, heard.length], [["1", "2"], 1, 1]);
  });

  test("a full page without a Link is followed by another", async () => {
    const all = ["a", "b", "c", "d", "e"];
    const page = (query: string): Page => {
      const last = /last=(\w+)/.exec(query)?.[1];
      const from = last === undefined ? 0 : all.indexOf(last) + 1;
      return [all.slice(from, from + 2)];
    };
    const { tags, asked } = await listing(page, { pageSize: 2 });
    assert.deepEqual([tags, asked], [all, ["?n=2", "?n=2&last=b", "?n=2&last=d"]]);
    const ignoring = await listing(() => [["a", "b"]], { pageSize: 2 });
    assert.deepEqual([ignoring.tags, ignoring.asked.length], [["a", "b"], 2]);
  });

  test("empty pages without end have one, and it is told", async () => {
    let nth = 0;
    const { asked, heard } = await listing(() => [[], `</v2/a/b/tags/list?last=${nth++}>; rel=next`]);
    assert.equal(asked.length, 100);
    assert.match(heard[0] ?? "", /100 empty pages one after the other/);
  });

  test("a page of a million things that are no names is refused before it is taken apart", async () => {
    const handler: Handler = (request) =>
      answerWith(200, {}, `{"tags":[${"{},".repeat(600_000)}{}]}`)(request, memoryRegistry().handler);
    await assert.rejects(Array.fromAsync(clientOf(handler).repository("a/b").tags()), (error) =>
      isDrayError(error, "LIMIT_EXCEEDED"),
    );
  });
});
