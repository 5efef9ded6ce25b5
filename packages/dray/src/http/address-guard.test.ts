import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { test } from "node:test";
import { rawServer } from "../../test/raw-server.ts";
import { isDrayError } from "../errors.ts";
import { addressGuard } from "./address-guard.ts";
import { connection } from "./connection.ts";
import type { HttpRequest } from "./types.ts";

/** Names and what they stand for. */
const names: Readonly<Record<string, readonly string[]>> = {
  "public.example": ["203.0.113.5"],
  "private.example": ["10.0.0.5"],
  "storage.example": ["198.51.100.7"],
  "inner.example": ["127.0.0.1"],
  "metadata.example": ["169.254.169.254"],
  "mixed.example": ["10.0.0.7", "198.51.100.8", "::1"],
};
const resolve = async (host: string): Promise<LookupAddress[]> => {
  const found = names[host];
  if (found === undefined) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: "ENOTFOUND" });
  return found.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
};

/** The addresses that a host may be connected to. */
const lookedUp = (
  registry: string | undefined,
  host: string,
  allowPrivate: readonly string[] = [],
): Promise<string> => {
  const { lookup } = addressGuard({ allowPrivate, resolve, ...(registry === undefined ? {} : { registry }) });
  return new Promise((done) =>
    lookup(host, { all: true }, (error, addresses) =>
      done(
        error === null
          ? (addresses as LookupAddress[]).map(({ address }) => address).join(" ")
          : (error.code ?? error.name),
      ),
    ),
  );
};

test("a public registry leads to public addresses only, and what was checked is what is connected to", async () => {
  const table: readonly [string | undefined, string, readonly string[], string][] = [
    ["public.example", "storage.example", [], "198.51.100.7"],
    ["public.example", "inner.example", [], "ADDRESS_REFUSED"],
    ["public.example", "private.example", [], "ADDRESS_REFUSED"],
    ["public.example", "mixed.example", [], "198.51.100.8"],
    ["203.0.113.5", "inner.example", [], "ADDRESS_REFUSED"],
    // What cannot be looked up is taken for public.
    ["unknown.example", "inner.example", [], "ADDRESS_REFUSED"],
    ["private.example", "inner.example", [], "127.0.0.1"],
    // One public address among others makes it public, and the others are none to go to.
    ["mixed.example", "inner.example", [], "ADDRESS_REFUSED"],
    ["mixed.example", "mixed.example", [], "198.51.100.8"],
    ["mixed.example", "mixed.example", ["10.0.0.7"], "10.0.0.7 198.51.100.8"],
    // Metadata services are for nobody.
    ["private.example", "metadata.example", [], "ADDRESS_REFUSED"],
    ["private.example", "metadata.example", ["169.254.169.254"], "169.254.169.254"],
    ["10.0.0.5", "inner.example", [], "127.0.0.1"],
    ["public.example", "inner.example", ["inner.example"], "127.0.0.1"],
    ["public.example", "inner.example", ["*.example"], "127.0.0.1"],
    ["public.example", "mixed.example", ["10.0.0.0/8"], "10.0.0.7 198.51.100.8"],
    ["public.example", "public.example", [], "203.0.113.5"],
    ["inner.example", "inner.example", [], "127.0.0.1"],
    ["INNER.example", "inner.EXAMPLE".toLowerCase(), [], "127.0.0.1"],
    [undefined, "inner.example", [], "127.0.0.1"],
    ["public.example", "nowhere.example", [], "ENOTFOUND"],
  ];
  for (const [registry, host, allowed, expected] of table)
    assert.equal(await lookedUp(registry, host, allowed), expected, `${registry} → ${host} [${allowed.join()}]`);
});

test("the lookup answers in both forms", async () => {
  const { lookup } = addressGuard({ allowPrivate: [], resolve });
  const one = await new Promise((done) =>
    lookup("storage.example", {}, (_, address, family) => done([address, family])),
  );
  assert.deepEqual(one, ["198.51.100.7", 4]);
});

test("literal addresses are checked before anything is sent; behind a proxy nothing else can be", async () => {
  const table: readonly [string, string, boolean, readonly string[], boolean][] = [
    ["public.example", "10.0.0.1", false, [], false],
    ["public.example", "10.0.0.1", true, [], false],
    ["public.example", "169.254.169.254", true, [], false],
    ["public.example", "::1", false, [], false],
    ["public.example", "::ffff:127.0.0.1", false, [], false],
    ["public.example", "198.51.100.7", false, [], true],
    ["public.example", "10.0.0.1", false, ["10.0.0.0/24"], true],
    ["private.example", "10.0.0.1", false, [], true],
    ["10.0.0.5", "10.0.0.1", true, [], true],
    ["public.example", "inner.example", true, [], true],
    ["public.example", "localhost", true, [], false],
    ["public.example", "localhost.", true, [], false],
    ["public.example", "x.localhost", true, [], false],
    ["private.example", "169.254.169.254", false, [], false],
    ["private.example", "169.254.169.254", true, [], false],
    ["public.example", "public.example", true, [], true],
  ];
  for (const [registry, host, proxied, allowPrivate, open] of table) {
    const check = addressGuard({ registry, allowPrivate, resolve }).check(host, { proxied });
    const name = `${registry} → ${host} ${proxied ? "by proxy" : ""}`;
    if (open) await assert.doesNotReject(check, name);
    else
      await assert.rejects(
        check,
        (error) =>
          isDrayError(error, "ADDRESS_REFUSED") &&
          error.message.includes(host) &&
          error.remedy === "allow-private" &&
          error.host === host &&
          !error.retryable,
        name,
      );
  }
});

test("a registry that was public once stays public, whatever its name stands for later", async () => {
  let answer = ["203.0.113.5"];
  const changing = async (host: string): Promise<LookupAddress[]> =>
    host === "flip.example" ? answer.map((address) => ({ address, family: 4 })) : resolve(host);
  const guard = addressGuard({ registry: "flip.example", allowPrivate: [], resolve: changing });
  const at = (host: string): Promise<unknown> =>
    new Promise((done) => guard.lookup(host, { all: true }, (error, found) => done(error?.code ?? found)));
  await at("flip.example");
  answer = ["10.9.9.9"];
  assert.equal(await at("flip.example"), "ADDRESS_REFUSED");
  assert.equal(await at("inner.example"), "ADDRESS_REFUSED");
});

test("a connection keeps to it", async () => {
  const server = await rawServer((_, socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  const status = async (registry: string, host: string, allowPrivate: readonly string[] = []) => {
    const send = connection({ registry, allowPrivate, proxy: false, resolve });
    try {
      const get: HttpRequest = { method: "GET", origin: `http://${host}:${server.port}`, target: "/", headers: [] };
      return (await send(get)).status;
    } catch (error) {
      return isDrayError(error) ? error.code : String(error);
    } finally {
      await send.close();
    }
  };
  try {
    assert.equal(await status("public.example:5000", "inner.example"), "ADDRESS_REFUSED");
    assert.equal(await status("public.example:5000", "127.0.0.1"), "ADDRESS_REFUSED");
    assert.equal(server.connections, 0);
    assert.equal(await status("public.example", "inner.example", ["inner.example"]), 200);
    assert.equal(await status("public.example", "inner.example", ["127.0.0.0/8"]), 200);
    assert.equal(await status("private.example", "inner.example"), 200);
    assert.equal(await status(`inner.example:${server.port}`, "inner.example"), 200);
    assert.equal(await status("inner.example:1", "127.0.0.1"), 200);
  } finally {
    await server.close();
  }
});
