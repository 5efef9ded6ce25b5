import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { isDrayError } from "../errors.ts";
import { connectEngine, type Engine } from "./index.ts";

type Answer = (question: IncomingMessage, answer: ServerResponse) => void;

/** Asks an engine that greets everybody and says this to all else. */
const asking = async (answer: Answer, ask: (engine: Engine) => Promise<void>, path = ""): Promise<void> => {
  const server = createServer((question, response) => {
    if (question.url !== `${path}/_ping`) return answer(question, response);
    response.writeHead(200, { "Api-Version": "1.48" }).end("OK");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const host = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  const engine = connectEngine({ host, env: { HOME: "/nowhere" } });
  try {
    await ask(engine);
  } finally {
    await engine.close();
    server.closeAllConnections();
    server.close();
  }
};

describe("what an engine answers", () => {
  const [small, large] = [1000, 17 * 1024 * 1024];
  for (const size of [small, large]) {
    const padding = Buffer.alloc(size, " ");
    const said = (text: Uint8Array): Answer => {
      const body = Buffer.concat([padding, text]);
      return (_, response) => void response.writeHead(200, { "Content-Length": body.byteLength }).end(body);
    };
    for (const [what, text] of [
      ["no JSON", Buffer.from('[{"Id": ')],
      ["no UTF-8", Buffer.from('[{"Id": "caf\xe9"}]', "latin1")],
    ] as const)
      test(`that is ${what} is the engine's fault, in ${size} bytes`, () =>
        asking(said(text), async (engine) => {
          const isEngines = (error: unknown): boolean =>
            isDrayError(error, "ENGINE") && /answer of the engine \(list images\) is no valid JSON/.test(error.message);
          await assert.rejects(engine.list(), (error) => isEngines(error) || assert.fail(String(error)));
        }));
    test(`is read in ${size} bytes`, () =>
      asking(said(Buffer.from('[{"Id": "sha256:é", "RepoTags": ["a:1"]}]')), async (engine) => {
        assert.deepEqual(
          (await engine.list()).map(({ id, names }) => [id, names]),
          [["sha256:é", ["a:1"]]],
        );
      }));
  }
});

test("an engine below a path of a proxy is asked there", () =>
  asking(
    ({ url }, response) => void response.writeHead(url === "/one/two/v1.48/images/json" ? 200 : 404).end("[]"),
    async (engine) => assert.deepEqual(await engine.list(), []),
    "/one/two",
  ));

test("an image that is not there is one that can be pulled", () =>
  asking(
    (_, response) => void response.writeHead(404).end('{"message": "No such image: app:1"}'),
    async (engine) => {
      const isTold = (error: unknown): boolean =>
        isDrayError(error, "NOT_FOUND") && error.remedy === "pull-image" && error.reference === "app:1";
      await assert.rejects(engine.inspect("app:1"), isTold);
    },
  ));
