import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "../errors.ts";
import { certsD, certsDirs } from "./certs-d.ts";

const folders = async (files: Record<string, string>, use: (root: string) => Promise<void>): Promise<void> => {
  const root = temporaryFolder("certs");
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), text);
  }
  await use(root);
};

test("authorities and pairs are read from the folder of the host", () =>
  folders(
    {
      "user/other/ca.crt": "OTHER",
      "etc/r.example:5000/b.crt": "B",
      "etc/r.example:5000/a.crt": "A",
      "etc/r.example:5000/client.cert": "CERT",
      "etc/r.example:5000/client.key": "KEY",
      "etc/r.example:5000/README": "ignored",
      "late/r.example:5000/ca.crt": "TOO LATE",
    },
    async (root) => {
      const dirs = ["missing", "user", "etc", "late"].map((name) => join(root, name));
      assert.deepEqual(await certsD("r.example:5000", { dirs }), { ca: ["A", "B"], cert: ["CERT"], key: ["KEY"] });
      assert.equal(await certsD("r.example", { dirs }), undefined);
    },
  ));

test("half a pair and what cannot be read are named", () =>
  folders(
    { "a/r/client.cert": "CERT", "b/r/client.key": "KEY", "c/r/x.crt": "", "d/r/ca.crt/file": "" },
    async (root) => {
      await symlink("missing", join(root, "c/r/ca.crt"));
      const table: readonly [string, string][] = [
        ["a", "client.cert lacks its key client.key"],
        ["b", "client.key lacks its certificate client.cert"],
        ["c", join(root, "c/r/ca.crt")],
        ["d", join(root, "d/r/ca.crt")],
      ];
      for (const [dir, words] of table)
        await assert.rejects(
          certsD("r", { dirs: [join(root, dir)] }),
          (error) => isDrayError(error, "CONFIG_INVALID") && error.message.includes(words),
          dir,
        );
    },
  ));

test("the user's folders come before the system's", () => {
  assert.deepEqual(certsDirs({ HOME: "/home/u" }), [
    "/home/u/.config/containers/certs.d",
    "/home/u/.config/docker/certs.d",
    "/etc/containers/certs.d",
    "/etc/docker/certs.d",
  ]);
  assert.equal(certsDirs({ HOME: "/home/u", XDG_CONFIG_HOME: "/c" })[0], "/c/containers/certs.d");
});
