import assert from "node:assert/strict";
import { test } from "node:test";
import { linkTo, parseLinks } from "./pages.ts";

const facts: readonly (readonly [header: string, next: string | undefined])[] = [
  ['</v2/a/tags/list?n=2&last=b>; rel="next"', "/v2/a/tags/list?n=2&last=b"],
  ["</v2/a/tags/list?last=b>;rel=next", "/v2/a/tags/list?last=b"],
  ['<https://r.example/v2/a/tags/list?last=b> ; REL = "NEXT"', "https://r.example/v2/a/tags/list?last=b"],
  ['</a?x=1,2;3>; rel="next"', "/a?x=1,2;3"],
  ['</prev>; rel="prev", </next>; rel="next"', "/next"],
  ['</both>; rel="last next"; title="a, \\"quoted\\" <one>; rel=prev"', "/both"],
  ['</a>; title="x, </b>; rel=\\"next\\""', undefined],
  ['</first>; rel="next"; rel="prev"', "/first"],
  ["</a>; rel=prev; rel=next", undefined],
  ['</a>;;rel="next"', "/a"],
  ["</a>; crossorigin; rel=next", "/a"],
  ["</a>; rel='next'", "/a"],
  ["/v2/a/tags/list?n=2&last=b; rel=next", "/v2/a/tags/list?n=2&last=b"],
  ["/v2/a/tags/list?last=b", undefined],
  ["</a", undefined],
  ["", undefined],
];

for (const [header, next] of facts)
  test(`${header} has next ${next}`, () => assert.equal(linkTo("next", [header]), next));

test("several headers are one list", () => {
  assert.deepEqual(
    parseLinks(['</a>; rel="prev"', '</b>; rel="next", </c>']).map(({ url }) => url),
    ["/a", "/b", "/c"],
  );
  assert.equal(linkTo("next", ['</a>; rel="prev"', '</b>; rel="next"']), "/b");
});

test("a hostile header takes no time to speak of", () => {
  const hostile = `<${"a".repeat(8000)}>${";".repeat(8000)}${' ;a="\\'.repeat(2000)}`;
  assert.equal(parseLinks([hostile]).length, 1);
});
