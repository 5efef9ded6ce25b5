import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesBody } from "../content/index.ts";
import { type Middleware, pipeline } from "./types.ts";

test("the first middleware is the outermost", async () => {
  const steps: string[] = [];
  const named =
    (name: string): Middleware =>
    (next) =>
    async (request) => {
      steps.push(`${name} in`);
      const response = await next(request);
      steps.push(`${name} out`);
      return response;
    };
  const send = pipeline(
    async ({ origin, target }) => ({
      status: 200,
      headers: [],
      url: origin + target,
      body: bytesBody(new Uint8Array()),
    }),
    named("retry"),
    named("trace"),
  );
  assert.equal((await send({ method: "GET", origin: "https://r", target: "/v2/", headers: [] })).url, "https://r/v2/");
  assert.deepEqual(steps, ["retry in", "trace in", "trace out", "retry out"]);
});
