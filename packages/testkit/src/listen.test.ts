import assert from "node:assert/strict";
import { get } from "node:http";
import { test } from "node:test";
import { collect } from "dray/content";
import { DrayError } from "dray/errors";
import type { Handler } from "dray/http";
import { listen } from "./listen.ts";

const ask = async (handler: Handler): Promise<{ status: number | undefined; text: string }> => {
  const server = await listen(handler);
  try {
    return await new Promise((resolve, reject) => {
      get({ host: "127.0.0.1", port: server.port, agent: false }, (response) => {
        collect(response, 1_000_000, "body").then(
          (bytes) => resolve({ status: response.statusCode, text: Buffer.from(bytes).toString() }),
          reject,
        );
      }).on("error", reject);
    });
  } finally {
    await server.close();
  }
};

test("a fault of the handler is said aloud", async () => {
  const { status, text } = await ask(async () => {
    throw new Error("a bug in the test");
  });
  assert.equal(status, 500);
  assert.match(text, /a bug in the test[^]*listen\.test/);
});

test("a handler that fails with NETWORK breaks the connection", () =>
  assert.rejects(
    ask(async () => {
      throw new DrayError("NETWORK", "cut");
    }),
    { code: "ECONNRESET" },
  ));
