import assert from "node:assert/strict";
import { request } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { ask, pullBlob, pushBlob } from "../../test/ask.ts";
import { mountMemory, noMounts, unmount } from "../../test/mounts.ts";
import { loadSettings } from "../config/index.ts";
import { running } from "./control-socket.ts";
import { serve } from "./serve.ts";

const mib = 1024 * 1024;
let data: string;
before(() => {
  data = join(temporaryFolder("promised-space"), "disk");
  if (noMounts === false) mountMemory(data);
});
after(() => {
  if (noMounts === false) unmount(data);
});

test("space that pushes on their way have announced is shown, and told by /readyz where others get none", {
  skip: noMounts,
}, async () => {
  const kept = 200 * mib;
  const set = ["log.accesslog.disabled=true", "log.level=error", `dray.freespace=${kept}`];
  const { settings } = loadSettings({ flags: { data, listen: "127.0.0.1:0", set } });
  const serving = await serve(settings, { version: "test" });
  const { origin } = serving;
  const client = (await running(settings)) ?? assert.fail("nobody answers");
  const disk = async (): Promise<Record<string, number>> => {
    const { diskFree, diskSize, diskKept, diskPromised } = await client.ask("status", {});
    return { diskFree, diskSize, diskKept, diskPromised } as Record<string, number>;
  };
  try {
    assert.equal((await pushBlob(origin, "a", "before")).status, 201);
    const { diskFree = 0, ...at } = await disk();
    assert.deepEqual(at, { diskSize: 256 * mib, diskKept: kept, diskPromised: 0 });
    const begun = await ask(origin, "POST", "/v2/a/blobs/uploads/");
    const [, location = ""] = begun.headers.find(([name]) => name === "Location") ?? [];
    const announced = diskFree - kept - mib;
    const { hostname, port } = new URL(origin);
    const sent = request({
      hostname,
      port,
      method: "PATCH",
      path: location,
      headers: { "Content-Length": announced, "Content-Type": "application/octet-stream" },
    });
    sent.on("error", () => {});
    sent.write("x".repeat(1000));
    while (((await disk())["diskPromised"] ?? 0) !== announced - 1000) await new Promise((go) => setTimeout(go, 5));
    const ready = await ask(origin, "GET", "/readyz");
    assert.deepEqual([ready.status, JSON.parse(ready.text).space], [200, "promised"]);
    assert.equal((await pushBlob(origin, "a", "y".repeat(2 * mib))).status, 503);
    assert.deepEqual(await pullBlob(origin, "a", "before"), [200, "before"]);
    sent.destroy();
    while ((await disk())["diskPromised"] !== 0) await new Promise((go) => setTimeout(go, 5));
    assert.equal((await pushBlob(origin, "a", "y".repeat(2 * mib))).status, 201);
  } finally {
    await serving.stop(AbortSignal.abort());
  }
});
