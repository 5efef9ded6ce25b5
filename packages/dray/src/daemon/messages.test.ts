import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isDrayError } from "../errors.ts";
import { type EngineMessage, engineMessages } from "./messages.ts";

const said = async (...pieces: readonly string[]): Promise<EngineMessage[]> => {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const piece of pieces) yield new TextEncoder().encode(piece);
  }
  const all: EngineMessage[] = [];
  for await (const message of engineMessages(chunks(), "push app:1")) all.push(message);
  return all.map((message) => JSON.parse(JSON.stringify(message)) as EngineMessage);
};

describe("what an engine says while it works", () => {
  test("comes line by line, however it is cut", async () => {
    assert.deepEqual(
      await said(
        '{"status":"Push',
        'ing","id":"a","progressDetail":{"current":1,"tot',
        'al":2}}\r\n\r\n{"stream":"done\\n"}',
      ),
      [{ status: "Pushing", id: "a", progress: { current: 1, total: 2 } }, { stream: "done\n" }],
    );
    assert.deepEqual(await said('{"progressDetail":{},"aux":{"Digest":"sha256:x"}}\n'), [
      { aux: { Digest: "sha256:x" } },
    ]);
  });

  test("is an error where it says so, though its status was 200", async () => {
    for (const line of ['{"errorDetail":{"message":"denied: no"},"error":"denied: no"}', '{"error":"denied: no"}'])
      await assert.rejects(
        said('{"status":"Preparing"}\n', `${line}\n`),
        (error) => isDrayError(error, "ENGINE") && error.message === "push app:1: the engine says: denied: no",
      );
  });

  test("is refused where it is nothing that an engine says, or has no end", async () => {
    await assert.rejects(
      said("<html>\n"),
      (error) => isDrayError(error, "ENGINE") && /no message: <html>/.test(error.message),
    );
    await assert.rejects(said("x".repeat(1024 * 1024), "x"), (error) => isDrayError(error, "LIMIT_EXCEEDED"));
  });
});
