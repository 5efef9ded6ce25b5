import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { listen } from "@dray/service/http-server";
import { Memory } from "@dray/service/memory";
import { encodeJson, mediaTypes } from "dray/oci";
import { createRegistry } from "../registry.ts";
import { memoryDriver } from "../storage/index.ts";

const bytes = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] });

test("a small manifest that comes from a socket lies in memory, counted while it comes, and in a file where there is no room", async () => {
  const traffic = new Memory(1024);
  const registry = createRegistry({ driver: memoryDriver(), traffic });
  const { uploads } = registry.context;
  const listener = await listen(registry);
  /** Sends the first half; the rest is for later. */
  const begun = async (tag: string): Promise<() => Promise<string>> => {
    const socket = connect(listener.port, "127.0.0.1");
    const head = [`PUT /v2/a/manifests/${tag} HTTP/1.1`, "Host: x", "Connection: close"];
    head.push(`Content-Type: ${mediaTypes.ociIndex}`, `Content-Length: ${bytes.byteLength}`, "", "");
    socket.write(head.join("\r\n"));
    socket.write(bytes.subarray(0, 20));
    return async () => {
      socket.write(bytes.subarray(20));
      const answer: Buffer[] = [];
      for await (const chunk of socket) answer.push(chunk as Buffer);
      return Buffer.concat(answer).toString("latin1").slice(0, 12);
    };
  };
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  const first = await begun("first");
  await until(() => traffic.used === bytes.byteLength);
  assert.equal(uploads.open, 0);
  const others = traffic.share(0).hold(1024);
  const second = await begun("second");
  await until(() => uploads.open === 1);
  assert.deepEqual([await second(), await first()], ["HTTP/1.1 201", "HTTP/1.1 201"]);
  others.free();
  await until(() => traffic.used === 0);
  assert.equal(uploads.open, 0);
  await listener.close();
  await registry.close();
});
