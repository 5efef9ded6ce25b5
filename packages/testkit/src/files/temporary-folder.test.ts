import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "./temporary-folder.ts";

test("each folder is a new one", () => {
  const [one, other] = [temporaryFolder("one"), temporaryFolder("one")];
  assert.notEqual(one, other);
  for (const folder of [one, other]) assert.ok(existsSync(folder));
});

test("folders go with the process, however it ends", () => {
  const script = join(temporaryFolder("script"), "script.mjs");
  const module = JSON.stringify(new URL("temporary-folder.ts", import.meta.url).href);
  writeFileSync(
    script,
    `import { writeFileSync } from "node:fs";
    import { temporaryFolder } from ${module};
    const folders = [temporaryFolder("first"), temporaryFolder("second")];
    writeFileSync(folders[0] + "/file", "");
    console.log(folders.join("\\n"));
    process.exit(0);`,
  );
  const said = execFileSync(process.execPath, [script], { encoding: "utf8" }).trim().split("\n");
  assert.deepEqual(
    said.map((folder) => existsSync(folder)),
    [false, false],
  );
});
