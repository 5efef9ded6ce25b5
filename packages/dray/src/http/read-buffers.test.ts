import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { detach } from "../content/index.ts";
import { digester } from "../oci/index.ts";
import { type Connection, connection } from "./connection.ts";
import type * as ReadBuffers from "./read-buffers.ts";

const mebibyte = 1024 * 1024;
const large = 96;

const notNode: boolean = "bun" in process.versions;

/** The module as a process begins with it. */
const fresh = async (of: string): Promise<typeof ReadBuffers> => import(`./read-buffers.ts?${of}`);
const someBytes = (): Buffer => Buffer.from(new Uint8Array(1000).buffer);

test("is given back where bodies are copies of it, and kept where they are parts of it", {
  skip: notNode,
}, async () => {
  for (const [parser, body, isGivenBack] of [
    ["copies", (bytes: Buffer) => new Uint8Array(bytes), true],
    ["parts", (bytes: Buffer) => bytes.subarray(100), false],
  ] as const) {
    const { chunkOfBody, giveBackWhatIsRead } = await fresh(parser);
    const socket = new EventEmitter() as Socket;
    const reads = [someBytes(), someBytes(), someBytes()];
    const left: number[] = [];
    for (const bytes of reads) {
      // As each request does: what it hears with comes before ours.
      const parse = (some: Buffer): void => chunkOfBody(body(some));
      socket.on("data", parse);
      giveBackWhatIsRead(socket);
      socket.emit("data", bytes);
      socket.off("data", parse);
      left.push(bytes.byteLength);
    }
    assert.equal(socket.listenerCount("data"), 1);
    assert.deepEqual(left, isGivenBack ? [1000, 0, 0] : [1000, 1000, 1000]);
  }
});

describe("what a socket has read", () => {
  const piece = Buffer.alloc(mebibyte, "what is sent again and again, ");
  const server = createServer(({ url }, response) => void send(response, Number(url?.slice(1))));
  let origin = "";
  let ask: Connection;

  const send = async (response: ServerResponse, mebibytes: number): Promise<void> => {
    response.setHeader("Content-Length", mebibytes * mebibyte);
    for (let sent = 0; sent < mebibytes; sent++) await new Promise((resolve) => response.write(piece, resolve));
    response.end();
  };
  const digestOf = (mebibytes: number): string => {
    const hash = digester("sha256");
    for (let i = 0; i < mebibytes; i++) hash.update(piece);
    return hash.digest();
  };

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    ask = connection({ proxy: false });
  });
  after(async () => {
    await ask.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const read = async (mebibytes: number, each = (): void => {}): Promise<string> => {
    const { body } = await ask({ method: "GET", origin, target: `/${mebibytes}`, headers: [] });
    const hash = digester("sha256");
    for await (const chunk of body.chunks) {
      hash.update(chunk);
      detach(chunk);
      each();
    }
    return hash.digest();
  };

  test("is whole for each request of a connection that is used again, and side by side", async () => {
    for (const mebibytes of [1, 0, 3]) assert.equal(await read(mebibytes), digestOf(mebibytes));
    const sizes = [1, 2, 3, 4];
    assert.deepEqual(await Promise.all(sizes.map((size) => read(size))), sizes.map(digestOf));
  });

  test("waits for no collector while much passes through", { skip: notNode }, async () => {
    await read(1);
    const atFirst = process.memoryUsage().arrayBuffers;
    let most = 0;
    let chunks = 0;
    await read(large, () => {
      if (chunks++ % 16 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers);
    });
    assert.ok(most - atFirst < 8 * mebibyte, `${(most - atFirst) / mebibyte} MiB of ${large} at once`);
  });
});
