import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { test } from "node:test";
import { Aedes, type AedesPublishPacket } from "aedes";
import { isDrayError } from "dray/errors";
import { happened } from "../../test/events.ts";
import { sinkOf } from "./index.ts";

const signal = new AbortController().signal;

/** A real broker, and what was published there. */
const broker = async (port = 0) => {
  const aedes = await Aedes.createBroker();
  aedes.authenticate = (_client, user, password, done) =>
    done(null, user === "ann" && password?.toString() === "s3cret");
  const published: AedesPublishPacket[] = [];
  aedes.on("publish", (packet, client) => {
    if (client !== null) published.push(packet);
  });
  const server: Server = createServer((socket) => aedes.handle(socket));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    await new Promise((resolve) => server.close(resolve));
  };
  return { port: (server.address() as { port: number }).port, published, close };
};

test("a broker gets each event below its repository, and Home Assistant's description of it once", async () => {
  const { port, published, close } = await broker();
  const url = `mqtt://127.0.0.1:${port}`;
  const sink = await sinkOf({
    type: "mqtt",
    name: "home",
    url,
    user: "ann",
    password: "s3cret",
    discovery: "homeassistant",
  });
  const moved = happened("team/app:1.0", 1, "tag.moved");
  assert.equal(await sink.send([happened("team/app:1.0")], signal), undefined);
  await sink.send([moved], signal);
  const [description, first, second] = published;
  assert.equal(published.length, 3);
  assert.match(description?.topic ?? "", /^homeassistant\/event\/dray_[0-9a-f]{16}\/config$/);
  assert.equal(description?.retain, true);
  const entity = JSON.parse(String(description?.payload)) as Record<string, unknown>;
  assert.equal(entity["state_topic"], "dray/watch/registry.example/team/app");
  assert.deepEqual(entity["event_types"], ["tag.added", "tag.moved", "tag.removed"]);
  assert.equal(entity["unique_id"], description?.topic.split("/")[2]);
  assert.deepEqual([first?.topic, first?.retain, first?.qos], [entity["state_topic"], false, 1]);
  const { type, ...rest } = moved;
  assert.deepEqual(JSON.parse(String(second?.payload)), { event_type: type, ...rest });
  await sink.close?.();
  await close();
});

test("without discovery there is only the event, below the topic that is wanted", async () => {
  const { port, published, close } = await broker();
  const sink = await sinkOf({
    type: "mqtt",
    name: "home",
    url: `mqtt://ann:s3cret@127.0.0.1:${port}`,
    topic: "images",
  });
  await sink.send([happened("app:1"), happened("app:2", 1)], signal);
  assert.deepEqual(
    published.map(({ topic }) => topic),
    ["images/registry.example/app", "images/registry.example/app"],
  );
  await sink.close?.();
  await close();
});

test("a broker that goes away is tried again later, one that refuses is told without the password", async () => {
  const first = await broker();
  const url = `mqtt://127.0.0.1:${first.port}`;
  const sink = await sinkOf({ type: "mqtt", name: "home", url, user: "ann", password: "s3cret" });
  await sink.send([happened("app:1")], signal);
  await first.close();
  await assert.rejects(sink.send([happened("app:2")], signal), { code: "NETWORK" });
  const second = await broker(first.port);
  await sink.send([happened("app:2")], signal);
  assert.equal(second.published.length, 1);
  const wrong = await sinkOf({ type: "mqtt", name: "home", url, user: "ann", password: "wr0ng-one" });
  await assert.rejects(
    wrong.send([happened("app:2")], signal),
    (error) => isDrayError(error, "NETWORK") && !error.message.includes("wr0ng"),
  );
  await wrong.close?.();
  await sink.close?.();
  await second.close();
});

test("a broker that says nothing is left when the time is over", async () => {
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as { port: number };
  const sink = await sinkOf({ type: "mqtt", name: "home", url: `mqtt://127.0.0.1:${port}` });
  await assert.rejects(sink.send([happened("app:1")], AbortSignal.timeout(50)), { code: "NETWORK" });
  await sink.close?.();
  silent.close();
});
