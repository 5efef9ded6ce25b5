import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { request } from "node:https";
import { test } from "node:test";
import { type Listener, listen } from "../listen.ts";
import { memoryRegistry } from "../registry/index.ts";
import { testCertificates } from "./index.ts";

const certificates = testCertificates({ hosts: ["registry.test"] });

const status = (
  server: Listener,
  tls: { ca?: string; key?: string; cert?: string; servername?: string },
): Promise<number> =>
  new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port: server.port, path: "/v2/", agent: false, ...tls }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
      response.on("error", reject);
    });
    asked.on("error", reject);
    asked.end();
  });

test("the CA signed the others, and the server's is for its names and addresses", () => {
  const [ca, server, client] = [certificates.ca, certificates.server, certificates.client].map(
    ({ cert }) => new X509Certificate(cert),
  ) as [X509Certificate, X509Certificate, X509Certificate];
  assert.equal(ca.ca, true);
  assert.equal(server.ca, false);
  for (const certificate of [ca, server, client]) assert.ok(certificate.verify(ca.publicKey));
  assert.ok(server.checkIssued(ca));
  for (const host of ["localhost", "registry.test"]) assert.equal(server.checkHost(host), host);
  for (const address of ["127.0.0.1", "::1"]) assert.equal(server.checkIP(address), address);
  assert.equal(server.checkHost("other.test"), undefined);
});

test("a client that knows the CA gets in, another does not", async () => {
  const server = await listen(memoryRegistry().handler, { tls: certificates.server });
  try {
    assert.equal(await status(server, { ca: certificates.ca.cert }), 200);
    assert.equal(await status(server, { ca: certificates.ca.cert, servername: "registry.test" }), 200);
    await assert.rejects(status(server, {}), { code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });
    await assert.rejects(status(server, { ca: certificates.ca.cert, servername: "other.test" }), {
      code: "ERR_TLS_CERT_ALTNAME_INVALID",
    });
  } finally {
    await server.close();
  }
});

test("a server that asks for a client's certificate lets nobody else in", async () => {
  const server = await listen(memoryRegistry().handler, {
    tls: { ...certificates.server, ca: certificates.ca.cert, clientAuth: "require" },
  });
  try {
    const { ca, client } = certificates;
    assert.equal(await status(server, { ca: ca.cert, ...client }), 200);
    await assert.rejects(status(server, { ca: ca.cert }));
    await assert.rejects(status(server, { ca: ca.cert, ...testCertificates().client }));
  } finally {
    await server.close();
  }
});
