import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Handler } from "dray/http";
import { dial, until } from "../../test/dialled.ts";
import { Memory } from "../memory/index.ts";
import { bare } from "../response/index.ts";
import { listen } from "./listen.ts";

const folder = await mkdtemp(join(tmpdir(), "dray-first-"));
after(() => rm(folder, { recursive: true, force: true }));

const head = (target: string, length: number): string =>
  `PUT ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;

/** A listener with 16 turns, which are held until `open`, and what came of each body. */
const held = async (memory: Memory) => {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const came = new Map<string, string>();
  let [met, asked] = [0, 0];
  const handler: Handler = async (request) => {
    const { body, target } = request;
    met++;
    if (target === "/refused") return bare(request, 401);
    if (target.startsWith("/holds")) await opened;
    let text = "";
    if (body !== undefined && "chunks" in body)
      for await (const chunk of body.chunks) text += Buffer.from(chunk).toString("latin1");
    came.set(target, text);
    return bare(request, 201);
  };
  const overflow = (): string => {
    asked++;
    return folder;
  };
  const listener = await listen(handler, { memory, overflow });
  const sockets: Socket[] = [];
  /** Sends a request, and tells what is answered so far. */
  const send = async (target: string, length: number, sent: string): Promise<{ socket: Socket; answer: string }> => {
    const socket = await dial(listener.port);
    const one = { socket, answer: "" };
    sockets.push(socket);
    socket.setEncoding("latin1").on("data", (text: string) => {
      one.answer += text;
    });
    socket.on("error", () => {});
    socket.write(head(target, length) + sent);
    return one;
  };
  for (let i = 0; i < 16; i++) await send(`/holds/${i}`, 20_000, "");
  await until(() => met === 16);
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await until(() => memory.used === 0);
    await listener.close();
  };
  return { open, came, send, close, asked: () => asked };
};

for (const [where, most] of [
  ["in a file where there is no memory", 0],
  ["in memory where there is some to spare", 64 * 1024 * 1024],
] as const)
  test(`what came with the headers before its turn waits ${where}: whole bodies and beginnings arrive as they were sent, and nothing is left`, async () => {
    const memory = new Memory(most);
    const others = memory.share(0).hold(most === 0 ? 0 : 32 * 1024 * 1024 - 1);
    const { open, came, send, close, asked } = await held(memory);
    const bodies = Array.from({ length: 40 }, (_, i) => String.fromCharCode(65 + i).repeat(17_000 + 2000 * i));
    const sent = await Promise.all(
      // Every other one goes on when the turns do.
      bodies.map((body, i) => send(`/${i}`, body.length, i % 2 === 0 ? body : body.slice(0, 9000))),
    );
    const gone = await send("/gone", 50_000, "z".repeat(30_000));
    await new Promise((resolve) => setTimeout(resolve, 20));
    gone.socket.destroy();
    open();
    for (const [i, body] of bodies.entries()) if (i % 2 === 1) sent[i]?.socket.write(body.slice(9000));
    await until(() => sent.every(({ answer }) => answer.startsWith("HTTP/1.1 201")));
    for (const [i, body] of bodies.entries()) assert.ok(came.get(`/${i}`) === body, `body ${i}`);
    assert.equal(asked() > 0, most === 0);
    assert.deepEqual(await readdir(folder), []);
    others.free();
    await close();
  });

test("a body that came before its turn and is refused unread is read away, so that its client sees the answer", async () => {
  const { send, close, open } = await held(new Memory(0));
  const one = await send("/refused", 8_000_000, "a".repeat(8_000_000));
  open();
  await until(() => one.answer.startsWith("HTTP/1.1 401"));
  await until(() => one.socket.writableLength === 0);
  await close();
});
