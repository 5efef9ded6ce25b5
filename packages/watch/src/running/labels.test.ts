import assert from "node:assert/strict";
import { test } from "node:test";
import { type LabelledPolicy, policyOfLabels } from "./index.ts";

const tower = "com.centurylinklabs.watchtower";

test("labels of Diun, WUD and Watchtower are policies, or say that an image is left alone", () => {
  const rows: readonly [labels: Record<string, string>, said: Partial<LabelledPolicy>][] = [
    [{ "org.opencontainers.image.version": "1" }, {}],
    [{ "diun.enable": "true" }, { policy: { tag: "1.2" } }],
    [{ "diun.enable": "false", "wud.watch": "true" }, { isLeftAlone: true }],
    [{ "diun.watch_repo": "true", "diun.sort_tags": "semver" }, { policy: {} }],
    [
      {
        "diun.enable": "true",
        "diun.watch_repo": "true",
        "diun.include_tags": "^1\\.;^2\\.",
        "diun.exclude_tags": "-rc",
        "diun.platform": "linux/arm64",
      },
      {
        policy: {
          alphabetical: {},
          filterTags: { pattern: "(?:^1\\.)|(?:^2\\.)", exclude: ["/-rc/"] },
          platform: "linux/arm64",
        },
      },
    ],
    [
      { "diun.watch_repo": "true", "diun.sort_tags": "age" },
      { policy: {}, warnings: ['diun.sort_tags is "age", which is no order'] },
    ],
    [{ "wud.watch": "false" }, { isLeftAlone: true }],
    [{ "wud.watch": "true" }, {}],
    [
      { "wud.tag.include": "^\\d+\\.\\d+$", "wud.tag.exclude": "^0" },
      { policy: { filterTags: { pattern: "^\\d+\\.\\d+$", exclude: ["/^0/"] } } },
    ],
    [{ "wud.tag.transform": "^v(.*)-x$ => $1" }, { policy: { filterTags: { pattern: "^v(.*)-x$", extract: "$1" } } }],
    [{ "wud.tag.transform": "v" }, { warnings: ['wud.tag.transform is "v", and has to be EXPRESSION => $1'] }],
    [{ [`${tower}.enable`]: "true" }, { policy: { tag: "1.2" } }],
    [{ [`${tower}.monitor-only`]: "true" }, { policy: { tag: "1.2" } }],
    [{ [`${tower}.enable`]: "false" }, { isLeftAlone: true }],
  ];
  for (const [labels, said] of rows)
    assert.deepEqual(policyOfLabels(labels, "1.2"), { warnings: [], ...said }, JSON.stringify(labels));
  assert.deepEqual(policyOfLabels({ "diun.enable": "true" }, undefined), { warnings: [] });
});
