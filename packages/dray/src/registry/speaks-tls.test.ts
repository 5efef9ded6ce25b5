import assert from "node:assert/strict";
import { createServer as createPlain } from "node:http";
import { createServer as createSecure } from "node:https";
import { type AddressInfo, createServer, type Server } from "node:net";
import { test } from "node:test";
import { testCertificates } from "@dray/testkit";
import { speaksTls } from "./speaks-tls.ts";

const never = new AbortController().signal;

const looked = async (server: Server, timeout = 5000): Promise<boolean | undefined> => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const answer = await speaksTls("127.0.0.1", (server.address() as AddressInfo).port, timeout, never);
  await new Promise((resolve) => server.close(resolve));
  return answer;
};

test("a server that speaks TLS is told from one that speaks plain http", async () => {
  assert.equal(await looked(createSecure(testCertificates().server)), true);
  assert.equal(await looked(createPlain()), false);
});

test("nobody there, nothing said, hung up and cancelled are no answer", async () => {
  assert.equal(
    await looked(
      createServer((socket) => void setTimeout(() => socket.destroy(), 200)),
      20,
    ),
    undefined,
  );
  assert.equal(await looked(createServer((socket) => socket.destroy())), undefined);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  assert.equal(await speaksTls("127.0.0.1", port, 5000, AbortSignal.abort()), undefined);
  await new Promise((resolve) => server.close(resolve));
  assert.equal(await speaksTls("127.0.0.1", port, 5000, never), undefined);
});
