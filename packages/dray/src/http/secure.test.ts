import assert from "node:assert/strict";
import { type AddressInfo, createServer as createPlainServer } from "node:net";
import { test } from "node:test";
import type { TLSSocket, TlsOptions } from "node:tls";
import { testCertificates } from "@dray/testkit";
import { rawServer } from "../../test/raw-server.ts";
import { type ErrorCode, isDrayError } from "../errors.ts";
import { type ConnectionOptions, connection } from "./connection.ts";
import type { HttpRequest } from "./types.ts";

const { ca, server, client } = testCertificates();
const other = testCertificates();
const dayAgo = (days: number) => new Date(Date.now() - days * 24 * 60 * 60 * 1000);

interface Secure {
  readonly port: number;
  /** Common names of the clients that showed a certificate. */
  readonly clients: (string | undefined)[];
  readonly close: () => Promise<void>;
}

const serve = async (tls: TlsOptions): Promise<Secure> => {
  const clients: (string | undefined)[] = [];
  const listener = await rawServer((_, socket) => {
    const { subject } = (socket as TLSSocket).getPeerCertificate() ?? {};
    clients.push(subject?.CN as string | undefined);
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }, tls);
  return { port: listener.port, clients, close: () => listener.close() };
};

const local = () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]);

/** What becomes of a GET: a status, or a code with a message. */
const outcome = async (origin: string, options: ConnectionOptions): Promise<number | readonly [ErrorCode, string]> => {
  const send = connection({ proxy: false, env: {}, resolve: local, systemAuthorities: () => [], ...options });
  try {
    const request: HttpRequest = { method: "GET", origin, target: "/v2/", headers: [] };
    const response = await send(request);
    await response.body.discard();
    return response.status;
  } catch (error) {
    assert.ok(isDrayError(error), String(error));
    assert.equal(error.retryable, false, error.message);
    return [error.code, `${error.message} [${error.remedy}]`];
  } finally {
    await send.close();
  }
};

const expect = (
  result: number | readonly [ErrorCode, string],
  expected: number | readonly [ErrorCode, RegExp],
  name: string,
): void => {
  if (typeof expected === "number" || typeof result === "number")
    return assert.equal(result, expected, `${name}: ${String(result)}`);
  assert.equal(result[0], expected[0], `${name}: ${result[1]}`);
  assert.match(result[1], expected[1], name);
};

test("certificates are checked against the usual authorities and ours, and each fault is named with its remedy", async () => {
  const good = await serve(server);
  const at = ({ port }: Secure, host = "localhost") => `https://${host}:${port}`;
  const unverified = { skipTlsVerify: true };
  const table: readonly [string, string, ConnectionOptions, number | readonly [ErrorCode, RegExp]][] = [
    ["our authority", at(good), { ca: ca.cert }, 200],
    ["the server's own, without its authority", at(good), { ca: server.cert }, 200],
    ["one of ours", at(good), { ca: [other.ca.cert, ca.cert] }, 200],
    ["several in one file", at(good), { ca: `# comment\n${other.ca.cert}\n${ca.cert}` }, 200],
    ["by address", at(good, "127.0.0.1"), { ca: ca.cert }, 200],
    ["any certificate", at(good), unverified, 200],
    ["unknown", at(good), {}, ["TLS", /cannot reach localhost:\d+: .*(unknown authority|by itself).* \[trust-/]],
    ["another of ours", at(good), { ca: other.ca.cert }, ["TLS", /unknown authority/]],
    [
      "another name",
      at(good, "registry.example"),
      { ca: ca.cert },
      ["TLS", /registry\.example:\d+: its certificate is for another name/],
    ],
    ["another name, any certificate", at(good, "registry.example"), unverified, 200],
  ];
  try {
    for (const [name, origin, options, expected] of table) expect(await outcome(origin, options), expected, name);
  } finally {
    await good.close();
  }
});

test("an expired certificate of a trusted authority is called expired", async () => {
  for (const [days, words] of [
    [30, /has expired; renew/],
    [-30, /not valid yet; check the clocks/],
  ] as const) {
    const old = testCertificates({ now: dayAgo(days) });
    const secure = await serve(old.server);
    try {
      expect(await outcome(`https://localhost:${secure.port}`, { ca: old.ca.cert }), ["TLS", words], `${days}`);
    } finally {
      await secure.close();
    }
  }
});

test("the system's authorities are asked where nobody else vouches, once", async () => {
  const secure = await serve(server);
  let read = 0;
  const systemAuthorities = () => {
    read++;
    return [other.ca.cert, ca.cert];
  };
  const send = connection({ proxy: false, env: {}, resolve: local, systemAuthorities });
  try {
    const request: HttpRequest = {
      method: "GET",
      origin: `https://localhost:${secure.port}`,
      target: "/",
      headers: [],
    };
    const answers = await Promise.all([
      send(request),
      send(request),
      send({ ...request, origin: `https://127.0.0.1:${secure.port}` }),
    ]);
    for (const { status, body } of answers) {
      assert.equal(status, 200);
      await body.discard();
    }
    await (await send(request)).body.discard();
    assert.equal(read, 1);
  } finally {
    await send.close();
    await secure.close();
  }
});

test("the system's authorities are not read where the others will do", async () => {
  const secure = await serve(server);
  const unread = () => assert.fail("read");
  try {
    const origin = `https://localhost:${secure.port}`;
    expect(await outcome(origin, { ca: ca.cert, systemAuthorities: unread }), 200, "trusted");
    expect(await outcome(origin, { skipTlsVerify: true, systemAuthorities: unread }), 200, "any certificate");
  } finally {
    await secure.close();
  }
});

test("a handshake without a cipher in common is not blamed on a client certificate alone", async () => {
  // The certificate's key is of another kind.
  const odd = await serve({ ...server, maxVersion: "TLSv1.2", ciphers: "ECDHE-RSA-AES128-GCM-SHA256" });
  try {
    expect(
      await outcome(`https://localhost:${odd.port}`, { ca: ca.cert }),
      ["TLS", /no cipher in common with us/],
      "odd",
    );
  } finally {
    await odd.close();
  }
});

test("our certificate is shown to the registry, and to nobody else", async () => {
  const strict = await serve({ ...server, ca: ca.cert, requestCert: true, rejectUnauthorized: true });
  const asking = await serve({ ...server, ca: ca.cert, requestCert: true, rejectUnauthorized: false });
  const identity = { ca: ca.cert, cert: client.cert, key: client.key };
  try {
    const origin = `https://localhost:${strict.port}`;
    expect(await outcome(origin, identity), 200, "with");
    assert.deepEqual(strict.clients, ["dray-test-client"]);
    expect(await outcome(origin, { ca: ca.cert }), ["TLS", /client certificate.* \[client-certificate\]/], "without");

    const elsewhere = `https://127.0.0.1:${asking.port}`;
    expect(await outcome(elsewhere, { ...identity, registry: "localhost" }), 200, "foreign");
    expect(await outcome(elsewhere, { ...identity, registry: "127.0.0.1" }), 200, "its own");
    assert.deepEqual(asking.clients, [undefined, "dray-test-client"]);
  } finally {
    await Promise.all([strict.close(), asking.close()]);
  }
});

test("PEM that makes no sense is said to be so", async () => {
  const table: readonly [string, ConnectionOptions, RegExp][] = [
    ["no certificate", { ca: "hello" }, /certificate authority 1 holds no certificate/],
    ["second of two", { ca: [ca.cert, ""] }, /certificate authority 2 holds no certificate/],
    [
      "damaged",
      { ca: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" },
      /certificate authority 1 is damaged/,
    ],
    ["no key", { cert: client.cert }, /needs its key/],
    ["no certificate for the key", { key: client.key }, /needs its key/],
    ["another's key", { cert: client.cert, key: other.client.key }, /key does not belong to the certificate/],
    ["garbage", { cert: "x", key: "y" }, /cannot be used/],
  ];
  for (const [name, options, words] of table)
    expect(await outcome("https://localhost:1", options), ["CONFIG_INVALID", words], name);
});

test("who speaks no TLS is told apart", async () => {
  const plain = createPlainServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  });
  await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
  try {
    const origin = `https://localhost:${(plain.address() as AddressInfo).port}`;
    expect(await outcome(origin, {}), ["TLS", /does not speak TLS.* \[plain-http\]/], "https to http");
  } finally {
    await new Promise((resolve) => plain.close(resolve));
  }
});
