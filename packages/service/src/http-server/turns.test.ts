import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import type { Handler } from "dray/http";
import { dial, until } from "../../test/dialled.ts";
import { Memory } from "../memory/index.ts";
import { bare } from "../response/index.ts";
import { listen } from "./listen.ts";
import { Turn, Turns } from "./turns.ts";

const MiB = 1024 * 1024;

/** Answers when all of a body has come. */
const counting = (): { handler: Handler; came: Map<string, number> } => {
  const came = new Map<string, number>();
  const handler: Handler = async (request) => {
    const { body, target } = request;
    came.set(target, 0);
    if (body !== undefined && "chunks" in body)
      for await (const chunk of body.chunks) came.set(target, (came.get(target) ?? 0) + chunk.byteLength);
    return bare(request, 201);
  };
  return { handler, came };
};

const head = (target: string, length: number): string =>
  `PUT ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;

test("many clients that stop in the middle are read by turns: what they hold is bounded, they keep nobody waiting, go on, and leave nothing", async () => {
  const memory = new Memory(4 * MiB);
  const { handler, came } = counting();
  const listener = await listen(handler, { memory });
  const stalled = await Promise.all(Array.from({ length: 60 }, () => dial(listener.port)));
  for (const [i, socket] of stalled.entries()) socket.write(head(`/${i}`, 300_000) + "a".repeat(100_000));
  await until(() => came.size === 60 && [...came.values()].every((size) => size === 100_000));
  assert.ok(memory.used <= 8 * MiB, `${memory.used} bytes`);

  const whole = await dial(listener.port);
  let answer = "";
  whole.setEncoding("latin1").on("data", (text: string) => {
    answer += text;
  });
  whole.write(head("/whole", 5 * MiB) + "b".repeat(5 * MiB));
  await until(() => answer.startsWith("HTTP/1.1 201"));

  const [first, ...rest] = stalled;
  let late = "";
  first?.setEncoding("latin1").on("data", (text: string) => {
    late += text;
  });
  first?.write("a".repeat(200_000));
  await until(() => late.startsWith("HTTP/1.1 201"));

  for (const socket of rest) socket.destroy();
  await until(() => memory.used === 0);
  for (const socket of [whole, first]) socket?.destroy();
  await listener.close();
});

test("a small body waits for no turn, and takes none from others", async () => {
  const memory = new Memory(4 * MiB);
  const { handler, came } = counting();
  const listener = await listen(handler, { memory });
  const [small, large] = [await dial(listener.port), await dial(listener.port)];
  small.write(head("/small", 16 * 1024) + "a".repeat(100));
  await until(() => came.get("/small") === 100);
  assert.equal(memory.used, 0);
  large.write(head("/large", 16 * 1024 + 1) + "a".repeat(100));
  await until(() => came.get("/large") === 100);
  assert.equal(memory.used, 512 * 1024);
  for (const socket of [small, large]) socket.destroy();
  await until(() => memory.used === 0);
  await listener.close();
});

test("an answer in memory that many read slowly is counted once, with little for each of them", async () => {
  const memory = new Memory(4 * MiB);
  const length = 16 * MiB;
  const bytes = new Uint8Array(length);
  const listener = await listen(
    async (request) => ({
      ...bare(request, 200),
      headers: [],
      body: { length, bytes, chunks: (async function* () {})(), discard: async () => {} },
    }),
    { memory },
  );
  const asking = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const socket = await dial(listener.port);
      socket.pause();
      socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      return socket;
    }),
  );
  await until(() => memory.used >= length + 40 * 16 * 1024);
  assert.ok(memory.used <= length + 40 * 64 * 1024, `${memory.used} bytes`);
  for (const socket of asking) socket.destroy();
  await until(() => memory.used === 0);
  await listener.close();
});

/** Turns with one place, and sockets that tell whether they are read. */
const withOnePlace = () => {
  const turns = new Turns(new Memory(0).share(512 * 1024));
  const turn = () => {
    const state = { isRead: true };
    const set = (isRead: boolean) => () => {
      state.isRead = isRead;
    };
    const socket = Object.assign(new EventEmitter(), { pause: set(false), resume: set(true) }) as unknown as Socket;
    const one = new Turn(socket);
    return { one, state, begin: async () => turns.begin(one), end: () => turns.end(one) };
  };
  return { turns, turn };
};

test("whoever ends in the middle of waiting leaves its socket to the next request as it was", async () => {
  const { turns, turn } = withOnePlace();
  const [silent, other] = [turn(), turn()];
  await silent.begin();
  silent.one.isRead = true;
  const begun = other.begin();
  await begun;
  assert.deepEqual([silent.state.isRead, silent.one.lasts], [false, false]);
  silent.end();
  assert.deepEqual([silent.state.isRead, turns.waiting], [true, 0]);
  turns.came(other.one);
  other.end();
  assert.equal(other.state.isRead, true);
});

test("whoever was silent once and brings something waits for none of those that are silent", async () => {
  const { turns, turn } = withOnePlace();
  const [late, busy] = [turn(), turn()];
  await late.begin();
  late.one.isRead = true;
  // It brings nothing, so the other one has its turn.
  await busy.begin();
  turns.came(busy.one);
  const silent = Array.from({ length: 20 }, () => turn());
  const starts: string[] = [];
  for (const one of silent) {
    one.one.isRead = true;
    one.one.wasSilent = true;
    void one.begin().then(() => starts.push("silent"));
  }
  // What was on its way already.
  turns.came(late.one);
  void late.begin().then(() => starts.push("late"));
  busy.end();
  await until(() => starts.length > 2);
  assert.ok(starts.indexOf("late") >= 0 && starts.indexOf("late") < 2, starts.join());
  for (const { end } of [...silent, late]) end();
});

test("a connection on which many bodies come while others stand still answers each of them, and what is asked after them", async () => {
  const { handler, came } = counting();
  const listener = await listen(handler, { memory: new Memory(0) });
  const stalled = await Promise.all(Array.from({ length: 60 }, () => dial(listener.port)));
  for (const [i, socket] of stalled.entries()) socket.write(`${head(`/${i}`, 300_000)}a`);
  await until(() => came.size === 60);
  const pushing = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const socket = await dial(listener.port);
      let answers = 0;
      socket.setEncoding("latin1").on("data", (text: string) => {
        answers += text.split("HTTP/1.1 201").length - 1;
      });
      for (let time = 1; time <= 12; time++) {
        socket.write(head("/body", 70_000) + "b".repeat(70_000));
        await until(() => answers === 2 * time - 1);
        socket.write("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
        await until(() => answers === 2 * time);
      }
      return socket;
    }),
  );
  for (const socket of [...stalled, ...pushing]) socket.destroy();
  await listener.close();
});
