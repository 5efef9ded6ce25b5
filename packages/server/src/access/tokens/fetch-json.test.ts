import assert from "node:assert/strict";
import { test } from "node:test";
import { listen } from "@dray/testkit";
import { bytesBody } from "dray/content";
import { fetchJson } from "./fetch-json.ts";

test("keys of a token service are fetched, and nothing else is", async () => {
  const server = await listen(async (request) => ({
    status: request.target === "/keys" ? 200 : 404,
    headers: [["Content-Length", "11"]],
    url: "",
    body: bytesBody(new TextEncoder().encode('{"keys":[]}')),
  }));
  try {
    const { signal } = new AbortController();
    assert.deepEqual(await fetchJson(`${server.origin}/keys`, { signal }), { keys: [] });
    await assert.rejects(fetchJson(`${server.origin}/other`, { signal }), /answered 404/);
  } finally {
    await server.close();
  }
});
