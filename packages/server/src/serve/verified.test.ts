import assert from "node:assert/strict";
import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { freePort } from "@dray/testkit/peers";
import { bytesBody, collect } from "dray/content";
import { connection } from "dray/http";
import { digestOf } from "dray/oci";
import { loadSettings } from "../config/index.ts";
import { blobPath } from "../distribution-tree/index.ts";
import type { Finding } from "../verify/index.ts";
import { running } from "./control-socket.ts";
import { serve } from "./serve.ts";

let root: string;
before(() => {
  root = temporaryFolder("verified");
});
const send = connection({ env: {} });
after(() => send.close());

test("what verification finds in a running registry is told to who asked, to the log and as a metric", async () => {
  const debug = await freePort();
  const set = [
    `http.debug.addr=127.0.0.1:${debug}`,
    "http.debug.prometheus.enabled=true",
    "log.accesslog.disabled=true",
  ];
  const { settings } = loadSettings({ flags: { data: root, listen: "127.0.0.1:0", set } });
  const serving = await serve(settings, { version: "test" });
  try {
    const bytes = new TextEncoder().encode("a blob");
    const digest = digestOf(bytes);
    const ask = async (method: string, target: string, origin = serving.origin): Promise<string> => {
      const body = method === "POST" ? { body: bytesBody(bytes) } : {};
      const answer = await send({ method, origin, target, headers: [], ...body });
      return `${answer.status} ${Buffer.from(await collect(answer.body.chunks, 1 << 22, target)).toString()}`;
    };
    const push = (): Promise<string> => ask("POST", `/v2/app/blobs/uploads/?digest=${digest}`);
    assert.match(await push(), /^201/);
    await truncate(join(root, blobPath(digest)), 3);
    const client = (await running(settings)) ?? assert.fail();
    const found: Finding[] = [];
    const verified = await client.ask("verify", {}, { onProgress: (finding) => found.push(finding) });
    assert.equal(verified.findings, 1);
    assert.deepEqual([found[0]?.kind, found[0]?.digest], ["data", digest]);
    const metrics = (): Promise<string> => ask("GET", "/metrics", `http://127.0.0.1:${debug}`);
    assert.match(await metrics(), /^dray_verify_findings_total\{kind="data"\} 1$/m);
    assert.match(await metrics(), /^dray_blobs_damaged 1$/m);
    assert.match(await ask("GET", `/v2/app/blobs/${digest}`), /^404/);
    assert.match(await push(), /^201/);
    assert.match(await ask("GET", `/v2/app/blobs/${digest}`), /^200 a blob$/);
    assert.match(await metrics(), /^dray_blobs_damaged 0$/m);
  } finally {
    await serving.stop(new AbortController().signal);
  }
});
