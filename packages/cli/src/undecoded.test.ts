import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";

/** Words as a shell writes them, with any bytes: `printf` makes them. */
const typed = (last: string): Promise<{ readonly code: unknown; readonly stderr: string }> =>
  new Promise((resolve) => {
    const line = `exec "$0" "$1" digest "oci:$2/$(printf '${last}')"`;
    const words = [process.execPath, join(import.meta.dirname, "main.ts"), temporaryFolder("undecoded")];
    execFile("sh", ["-c", line, ...words], (error, _, stderr) => resolve({ code: error?.code, stderr }));
  });

describe("words that are no UTF-8", {
  skip: process.platform === "linux" ? false : "a shell gives them on Linux",
}, () => {
  for (const [bytes, shown] of [
    ["caf\\351", "caf"],
    ["a\\377b", "a"],
  ] as const)
    test(`${bytes} is refused`, async () => {
      const { code, stderr } = await typed(bytes);
      assert.equal(code, 2, stderr);
      assert.match(
        stderr,
        new RegExp(`^Error: the word "oci:.*/${shown}.*" has bytes that are no UTF-8, .*; rename what`),
      );
    });

  for (const bytes of ["caf\\303\\251", "\\357\\277\\275"])
    test(`${bytes} is a name like others`, async () => {
      const { code, stderr } = await typed(bytes);
      assert.equal(code, 5, stderr);
    });
});
