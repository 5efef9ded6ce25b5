import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { testCertificates } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { HostProcess } from "../../test/settings/host-process.ts";
import { failedHandshakes } from "./failed-handshakes.ts";

/** Takes what a log is told, without what only `debug` shows. */
const heard = (): { warnings: string[]; debug: number; log: Parameters<typeof failedHandshakes>[0] } => {
  const seen = {
    warnings: [] as string[],
    debug: 0,
    log: (level: string, message: string): void => {
      if (level === "debug") seen.debug++;
      else seen.warnings.push(`${level}: ${message}`);
    },
  };
  return seen;
};

describe("connections that never came so far as a request", () => {
  test("who speaks http is warned of at once, and then once an hour with how many there were", () => {
    for (const failed of [
      { peer: "10.0.0.1:1", reason: "http request", spokeHttp: true },
      { peer: "10.0.0.1:1", spokeHttp: false },
    ]) {
      const seen = heard();
      let now = 0;
      const tell = failedHandshakes(seen.log, () => now);
      for (let at = 0; at < 5; at++) tell(failed);
      assert.equal(seen.warnings.length, 1);
      assert.match(seen.warnings[0] ?? "", /^warn: a connection .*http.*clients have to ask by https:\/\//);
      now = 3_600_000;
      tell(failed);
      assert.equal(seen.warnings.length, 2);
      assert.match(seen.warnings[1] ?? "", /^warn: 5 connections .*https:\/\//);
      assert.equal(seen.debug, 6);
    }
  });

  test("what failed for another reason is no warning", () => {
    const seen = heard();
    failedHandshakes(seen.log)({ peer: "10.0.0.1:1", reason: "no shared cipher", spokeHttp: false });
    assert.deepEqual([seen.warnings, seen.debug], [[], 1]);
  });

  test("of a registry that runs the log says what to do", async () => {
    const root = temporaryFolder("failed-handshakes");
    const { server } = testCertificates({ days: 60 });
    await writeFile(join(root, "cert"), server.cert);
    await writeFile(join(root, "key"), server.key, { mode: 0o600 });
    const set = ["log.accesslog.disabled=true", `http.tls.certificate=${root}/cert`, `http.tls.key=${root}/key`];
    const host = new HostProcess(root);
    try {
      const sources = { flags: { data: join(root, "data"), listen: "127.0.0.1:0", set } };
      const { origin = "", refused } = await host.ask({ ask: "start", sources });
      assert.equal(refused, undefined);
      for (let at = 0; at < 3; at++) {
        const socket = connect(Number(new URL(origin).port), "127.0.0.1");
        const closed = new Promise((resolve) => socket.on("error", () => {}).once("close", resolve));
        socket.end("GET /v2/ HTTP/1.1\r\nHost: registry\r\n\r\n");
        socket.resume();
        await closed;
      }
      await host.ask({ ask: "stop" });
    } finally {
      await host.close();
    }
    const lines = host.written("err").split("\n");
    const told = lines.filter((line) => line.includes("clients have to ask by https://"));
    assert.equal(told.length, 1, lines.join("\n"));
    assert.match(told[0] ?? "", / warn /);
  });
});
