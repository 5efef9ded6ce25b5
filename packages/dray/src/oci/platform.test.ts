import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  formatPlatform,
  matchPlatform,
  normalizePlatform,
  type Platform,
  parsePlatform,
  platformCovers,
} from "./platform.ts";

test("platforms in words", () => {
  for (const [text, platform] of [
    ["linux", { os: "linux" }],
    ["linux/amd64", { os: "linux", architecture: "amd64" }],
    ["linux/arm/v7", { os: "linux", architecture: "arm", variant: "v7" }],
    ["LINUX/ARM64/V8", { os: "linux", architecture: "arm64", variant: "v8" }],
    ["windows/amd64:10.0.17763.1", { os: "windows", architecture: "amd64", "os.version": "10.0.17763.1" }],
    ["windows:10.0", { os: "windows", "os.version": "10.0" }],
  ] as const)
    assert.deepEqual(parsePlatform(text), platform);
  for (const text of ["", "/", "linux/", "/amd64", "linux//v8", "a/b/c/d", "linux amd64", "linux/amd64:", "l\u0000"])
    assert.throws(() => parsePlatform(text), { code: "PLATFORM_INVALID" }, JSON.stringify(text));
});

test("one spelling for what means the same", () => {
  for (const [text, expected] of [
    ["linux/x86_64", "linux/amd64"],
    ["linux/x86-64", "linux/amd64"],
    ["linux/amd64/v1", "linux/amd64"],
    ["linux/amd64/v2", "linux/amd64/v2"],
    ["linux/i686", "linux/386"],
    ["linux/aarch64", "linux/arm64/v8"],
    ["linux/arm64", "linux/arm64/v8"],
    ["linux/arm64/8", "linux/arm64/v8"],
    ["linux/arm64/v9", "linux/arm64/v9"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/arm/6", "linux/arm/v6"],
    ["linux/armhf", "linux/arm/v7"],
    ["linux/armel", "linux/arm/v6"],
    ["macOS/arm64", "darwin/arm64/v8"],
    ["linux", "linux"],
    // Words that every JavaScript object answers to.
    ["linux/constructor", "linux/constructor"],
    ["linux/__proto__", "linux/__proto__"],
  ] as const)
    assert.equal(formatPlatform(normalizePlatform(parsePlatform(text))), expected, text);
  const kept = normalizePlatform({ os: "linux", architecture: "arm64", features: ["sse4"], "os.features": ["x"] });
  assert.deepEqual(kept["features"], ["sse4"]);
  assert.deepEqual(kept["os.features"], ["x"]);
});

const entries = (...texts: string[]): { platform?: Platform; text: string }[] =>
  texts.map((text) => (text === "-" ? { text } : { text, platform: parsePlatform(text) as Platform }));

test("the entry that serves best", () => {
  for (const [wanted, offered, best] of [
    ["linux/amd64", ["linux/arm64", "linux/amd64"], "linux/amd64"],
    ["linux/x86_64", ["linux/386", "linux/amd64"], "linux/amd64"],
    ["linux/amd64", ["linux/arm64", "windows/amd64"], undefined],
    ["linux/arm64", ["linux/arm64/v8"], "linux/arm64/v8"],
    ["linux/arm64/v8", ["linux/arm64"], "linux/arm64"],
    // The highest variant that runs there.
    ["linux/arm/v7", ["linux/arm/v5", "linux/arm/v6"], "linux/arm/v6"],
    ["linux/arm/v7", ["linux/arm/v6", "linux/arm/v7", "linux/arm/v8"], "linux/arm/v7"],
    ["linux/arm/v6", ["linux/arm/v7"], undefined],
    ["linux/arm", ["linux/arm/v5", "linux/arm/v7"], "linux/arm/v7"],
    ["linux/arm", ["linux/arm/v8"], "linux/arm/v8"],
    ["linux/amd64/v3", ["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], "linux/amd64/v2"],
    ["linux/amd64", ["linux/amd64/v2", "linux/amd64"], "linux/amd64"],
    // Of equals the first.
    ["linux", ["windows/amd64", "linux/386", "linux/amd64"], "linux/386"],
    ["linux", ["linux/arm64", "linux/s390x"], "linux/s390x"],
    [
      "windows/amd64:10.0.17763",
      ["windows/amd64:10.0.14393.1", "windows/amd64:10.0.17763.5"],
      "windows/amd64:10.0.17763.5",
    ],
    ["windows/amd64:10.0.17763.4", ["windows/amd64:10.0.17763.5"], undefined],
    ["windows/amd64:10.0.17763.5", ["windows/amd64:10.0.17763.5"], "windows/amd64:10.0.17763.5"],
    ["windows/amd64", ["windows/amd64:10.0.1.1"], "windows/amd64:10.0.1.1"],
    ["linux/amd64", ["-", "linux/amd64"], "linux/amd64"],
    ["linux/amd64", ["-"], undefined],
    ["linux/amd64", [], undefined],
  ] as const)
    assert.equal(
      matchPlatform(parsePlatform(wanted), entries(...offered))?.text,
      best,
      `${wanted} of ${offered.join()}`,
    );
});

test("features that are wanted must be there", () => {
  const wanted = { os: "windows", architecture: "amd64", "os.features": ["win32k"] };
  const plain = { platform: { os: "windows", architecture: "amd64" } };
  const full = { platform: { os: "windows", architecture: "amd64", "os.features": ["other", "win32k"] } };
  assert.equal(matchPlatform(wanted, [plain, full]), full);
  assert.equal(matchPlatform(wanted, [plain]), undefined);
});

test("a platform without an os matches nothing, and is no trap", () => {
  const odd = [{ platform: {} as Platform }, { platform: { architecture: "amd64" } as Platform }];
  assert.equal(matchPlatform(parsePlatform("linux/amd64"), odd), undefined);
});

test("a wide wish covers every variant, a narrow one its own", () => {
  for (const [wanted, offered, covers] of [
    ["linux", "linux/arm64", true],
    ["linux", "windows/amd64", false],
    ["linux/arm", "linux/arm/v6", true],
    ["linux/arm/v7", "linux/arm/v6", false],
    ["linux/arm64", "linux/arm64/v8", true],
    ["linux/arm64/v8", "linux/arm64", true],
    ["linux/amd64/v1", "linux/amd64", true],
  ] as const)
    assert.equal(
      platformCovers(parsePlatform(wanted), parsePlatform(offered) as Platform),
      covers,
      `${wanted} ${offered}`,
    );
});

const word = fc.oneof(
  fc.constantFrom("linux", "windows", "macos", "arm", "arm64", "aarch64", "armhf", "x86_64", "amd64", "v1", "8", "V7"),
  fc.constantFrom("constructor", "__proto__", "tostring"),
  fc.stringMatching(/^[A-Za-z0-9_.-]{1,8}$/),
);
const text = fc
  .tuple(fc.array(word, { minLength: 1, maxLength: 3 }), fc.option(fc.stringMatching(/^[0-9.]{1,12}$/), { nil: "" }))
  .map(([parts, version]) => parts.join("/") + (version && `:${version}`));

test("normalising twice is normalising once, and every platform matches itself", () => {
  fc.assert(
    fc.property(text, (written) => {
      const platform = parsePlatform(written);
      assert.deepEqual(parsePlatform(formatPlatform(platform)), platform);
      const once = normalizePlatform(platform);
      assert.deepEqual(normalizePlatform(once), once);
      const entry = { platform: platform as Platform };
      assert.equal(matchPlatform(platform, [entry]), entry);
      assert.equal(matchPlatform(once, [entry]), entry);
      assert.ok(platformCovers(platform, once as Platform));
    }),
  );
});

test("any text is a platform or refused", () => {
  fc.assert(
    fc.property(fc.string(), (written) => {
      try {
        parsePlatform(written);
      } catch (error) {
        assert.equal((error as { code: string }).code, "PLATFORM_INVALID");
      }
    }),
  );
});
