import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { digestOf } from "dray/oci";
import { ask } from "../../test/ask.ts";
import { HostProcess } from "../../test/settings/host-process.ts";

let root: string;
let hosts: readonly HostProcess[] = [];
const runtime = process.env["XDG_RUNTIME_DIR"];
before(async () => {
  root = temporaryFolder("replica");
  process.env["XDG_RUNTIME_DIR"] = root;
  for (const name of ["writer", "reader"]) await mkdir(join(root, name));
});
after(async () => {
  if (runtime === undefined) delete process.env["XDG_RUNTIME_DIR"];
  else process.env["XDG_RUNTIME_DIR"] = runtime;
  for (const host of hosts) await host.close();
});

test("a process that only reads shows what another one writes: new repositories, tags that move, what was deleted", async () => {
  const [writing, reading] = ["writer", "reader"].map((name) => new HostProcess(join(root, name))) as [
    HostProcess,
    HostProcess,
  ];
  hosts = [writing, reading];
  const flags = { data: join(root, "data"), listen: "127.0.0.1:0", set: ["log.accesslog.disabled=true"] };
  const start = async (host: HostProcess, readOnly: boolean): Promise<string> => {
    const { origin, refused } = await host.ask({ ask: "start", sources: { flags: { ...flags, readOnly } } });
    return origin ?? assert.fail(refused);
  };
  const writer = await start(writing, false);
  const index = (name: string): string =>
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [],
      annotations: { name },
    });
  const push = async (repository: string, tag: string, text: string): Promise<void> =>
    assert.equal((await ask(writer, "PUT", `/v2/${repository}/manifests/${tag}`, text)).status, 201);
  const said = async (target: string): Promise<unknown> => JSON.parse((await ask(reader, "GET", target)).text);
  await push("old/app", "v1", index("one"));
  const reader = await start(reading, true);
  while (((await said("/readyz")) as { index: string }).index !== "whole");

  await push("new/app", "v1", index("one"));
  assert.deepEqual(await said("/v2/_catalog"), { repositories: ["new/app", "old/app"] }, "in the first answer");
  assert.deepEqual(await said("/v2/new/app/tags/list"), { name: "new/app", tags: ["v1"] });
  await push("new/app", "v1", index("two"));
  assert.equal((await ask(reader, "GET", "/v2/new/app/manifests/v1")).text, index("two"));
  const digest = digestOf(Buffer.from(index("two")));
  assert.equal((await ask(writer, "DELETE", `/v2/new/app/manifests/${digest}`)).status, 202);
  assert.equal((await ask(reader, "GET", "/v2/new/app/manifests/v1")).status, 404);
  assert.equal((await ask(reader, "GET", `/v2/new/app/manifests/${digest}`)).status, 404);
  assert.deepEqual(await said("/v2/new/app/tags/list"), { name: "new/app", tags: [] });
  assert.equal((await ask(reader, "PUT", "/v2/new/app/manifests/v1", index("one"))).status, 405);
});
