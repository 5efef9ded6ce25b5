import { existsSync } from "node:fs";
import { join } from "node:path";
import { type ConnectionOptions, connect } from "node:tls";
import { endedOr, rawClient } from "@dray/testkit";
import type { Case } from "../case.ts";
import { authorities } from "../files.ts";
import type { Registry } from "../registry.ts";

const { one, two } = authorities;
const ours = [one.ca.cert, two.ca.cert];
const tls = { "http.tls.certificate": "{files}/one.pem", "http.tls.key": "{files}/one.key" };

const location = async (registry: Registry): Promise<string> =>
  (await registry.ask("POST", "/v2/a/blobs/uploads/")).header("Location").replace(/\/v2\/.*/, "");

/** What a TLS connection comes to: something of it, or `"refused"`. */
const secured = (
  registry: Registry,
  what: (socket: ReturnType<typeof connect>) => unknown,
  options: ConnectionOptions = {},
): Promise<unknown> =>
  new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port: registry.port, ca: ours, ...options }, () => {
      const seen = what(socket);
      // A server that wants a certificate says so after the handshake: only an answer shows that it was content.
      socket.write("GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      let text = "";
      socket.on("data", (bytes) => {
        text += String(bytes);
      });
      socket.on("close", () => resolve(text.startsWith("HTTP/1.1 200") ? seen : "refused"));
    });
    socket.on("error", () => resolve("refused"));
  });

const shown = (registry: Registry): Promise<unknown> =>
  secured(registry, (socket) => socket.getPeerX509Certificate()?.toString() === one.server.cert);

/** Which of two addresses answers at the path. */
const answering = async (registry: Registry, target: string): Promise<number[]> => {
  const answers = await Promise.all(
    [registry.places.port, registry.places.other].map((port) =>
      registry.status("GET", target, { origin: `http://127.0.0.1:${port}` }).catch(() => 0),
    ),
  );
  return answers;
};
const debug = { "http.debug.addr": "127.0.0.1:{port}" };

export const httpCases: readonly Case[] = [
  {
    key: "http.addr",
    looksAt: "the address that answers",
    values: ["127.0.0.1:{port}", "127.0.0.1:{other}"],
    see: (registry) => answering(registry, "/v2/"),
    sees: [
      [200, 0],
      [0, 200],
    ],
  },
  {
    key: "http.net",
    looksAt: "whether a socket lies at the path that is the address",
    values: ["tcp", "unix"],
    beside: { "http.addr": "{files}/net.sock" },
    see: async (registry) => existsSync(join(registry.places.files, "net.sock")),
    sees: ["refused", true],
  },
  {
    key: "http.host",
    looksAt: "how the place of an upload begins",
    values: ["https://one.test", "https://two.test"],
    see: location,
    sees: ["https://one.test", "https://two.test"],
  },
  {
    key: "http.prefix",
    looksAt: "where the API answers",
    values: ["/one/", "/two/"],
    // Probes ask the root, wherever the API is.
    see: (registry) =>
      Promise.all(["/one/v2/", "/two/v2/", "/", "/one/", "/v2/"].map((path) => registry.status("GET", path))),
    sees: [
      [200, 404, 200, 200, 404],
      [404, 200, 200, 404, 404],
    ],
  },
  {
    key: "http.relativeurls",
    looksAt: "how the place of an upload begins",
    values: ["true", "false"],
    beside: { "dray.trustedproxies": "[127.0.0.0/8]" },
    see: async (registry) => (await location(registry)) === registry.origin,
    sees: [false, true],
  },
  {
    key: "http.draintimeout",
    looksAt: "whether a request that takes half a second may end after the order to stop",
    values: ["20ms", "1h"],
    see: async (registry) => {
      const client = await rawClient(registry.port);
      client.send("POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: a\r\n\r\n");
      const [, place = ""] = /Location: (\S+)/i.exec(await client.until(/\r\n\r\n/)) ?? [];
      client.send(`PATCH ${place} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n`);
      await client.until(/100 Continue/);
      client.send("x");
      const stopped = registry.drain();
      await endedOr(client, 500, registry.said("http.draintimeout") === "20ms");
      client.send("x");
      const { text } = await client.ended();
      await stopped;
      return text.includes("HTTP/1.1 202 Accepted\r\n") && text.includes("Range: 0-1\r\n");
    },
    sees: [false, true],
  },
  {
    key: "http.headers",
    looksAt: "a header of an answer",
    values: ["{X-Town: [Rome]}", "{X-Town: [Oslo]}"],
    see: async (registry) => (await registry.ask("GET", "/v2/")).header("X-Town"),
    sees: ["Rome", "Oslo"],
    without: "",
  },
  {
    key: "http.tls.certificate",
    looksAt: "whether the certificate that fits the key is shown",
    values: ["{files}/one.pem", "{files}/two.pem"],
    beside: { ...tls },
    see: shown,
    sees: [true, "refused"],
    reloads: false,
  },
  {
    key: "http.tls.key",
    looksAt: "whether the certificate that fits the key is shown",
    values: ["{files}/one.key", "{files}/two.key"],
    beside: tls,
    see: shown,
    sees: [true, "refused"],
    reloads: false,
  },
  {
    key: "http.tls.clientcas",
    looksAt: "whether a client's certificate of the first authority is taken",
    values: ["['{files}/ca-one.pem']", "['{files}/ca-two.pem']"],
    beside: tls,
    see: (registry) => secured(registry, () => "taken", one.client),
    sees: ["taken", "refused"],
    without: "taken",
  },
  {
    key: "http.tls.clientauth",
    looksAt: "whether a client without a certificate is served",
    values: ["request-client-cert", "require-and-verify-client-cert"],
    beside: { ...tls, "http.tls.clientcas": "['{files}/ca-one.pem']" },
    see: (registry) => secured(registry, () => "served"),
    sees: ["served", "refused"],
    without: "refused",
  },
  {
    key: "http.tls.minimumtls",
    looksAt: "whether a client that speaks TLS 1.2 is served",
    values: ["tls1.2", "tls1.3"],
    beside: tls,
    see: (registry) => secured(registry, () => "served", { maxVersion: "TLSv1.2" }),
    sees: ["served", "refused"],
  },
  {
    key: "http.tls.ciphersuites",
    looksAt: "the cipher that a client of TLS 1.2 gets",
    values: ["[TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]", "[TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]"],
    beside: tls,
    see: (registry) => secured(registry, (socket) => socket.getCipher().name, { maxVersion: "TLSv1.2" }),
    sees: ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"],
  },
  {
    key: "http.debug.addr",
    looksAt: "the address that tells of health",
    values: ["127.0.0.1:{port}", "127.0.0.1:{other}"],
    see: (registry) => answering(registry, "/debug/health"),
    sees: [
      [200, 0],
      [0, 200],
    ],
  },
  {
    key: "http.debug.prometheus.enabled",
    looksAt: "the answer at /metrics",
    values: ["true", "false"],
    beside: debug,
    see: async (registry) => (await answering(registry, "/metrics"))[0],
    sees: [200, 404],
  },
  {
    key: "http.debug.prometheus.path",
    looksAt: "where metrics are",
    values: ["/one", "/two"],
    beside: { ...debug, "http.debug.prometheus.enabled": "true" },
    see: async (registry) => [(await answering(registry, "/one"))[0], (await answering(registry, "/two"))[0]],
    sees: [
      [200, 404],
      [404, 200],
    ],
  },
];
