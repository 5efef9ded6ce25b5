import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "../errors.ts";
import { type Environment, parseProxy, proxyFor } from "./proxy.ts";

const via = (url: string, env: Environment): string | undefined => proxyFor(new URL(url), env)?.href;

test("the proxy is chosen by the scheme of the URL, in capitals or not", () => {
  const p = "http://proxy:3128/";
  const table: readonly [string, Environment, string | undefined][] = [
    ["https://a.example/v2/", {}, undefined],
    ["https://a.example/v2/", { HTTPS_PROXY: "http://proxy:3128" }, p],
    ["https://a.example/v2/", { https_proxy: "proxy:3128" }, p],
    ["https://a.example/v2/", { HTTP_PROXY: p }, undefined],
    ["http://a.example/v2/", { HTTP_PROXY: p }, p],
    ["http://a.example/v2/", { http_proxy: p, HTTP_PROXY: "http://capitals:1" }, "http://capitals:1/"],
    ["https://a.example/v2/", { HTTPS_PROXY: "", https_proxy: p }, p],
    ["https://a.example/v2/", { HTTPS_PROXY: " \n", https_proxy: p }, p],
    ["https://a.example/v2/", { HTTPS_PROXY: " " }, undefined],
    ["https://a.example/v2/", { HTTPS_PROXY: " proxy:3128\r\n" }, p],
    ["https://a.example/v2/", { HTTPS_PROXY: "https://us:pw@proxy" }, "https://us:pw@proxy/"],
    ["https://localhost:5000/", { HTTPS_PROXY: p }, undefined],
    ["https://127.0.0.1:5000/", { HTTPS_PROXY: p }, undefined],
    ["https://[::1]:5000/", { HTTPS_PROXY: p }, undefined],
  ];
  for (const [url, env, proxy] of table) assert.equal(via(url, env), proxy, `${url} ${JSON.stringify(env)}`);
});

test("NO_PROXY holds hosts, suffixes, addresses, ranges and ports", () => {
  const table: readonly [string, string, boolean][] = [
    ["*", "https://a.example", true],
    ["a.example", "https://a.example", true],
    ["A.EXAMPLE", "https://a.example", true],
    ["example", "https://a.example", true],
    [".example", "https://a.example", true],
    ["*.example", "https://a.example", true],
    [".a.example", "https://a.example", false],
    ["a.example", "https://ba.example", false],
    ["a.example:443", "https://a.example", true],
    ["a.example:80", "http://a.example", true],
    ["a.example:5000", "https://a.example", false],
    ["a.example:5000", "https://a.example:5000", true],
    ["10.0.0.0/8", "https://10.1.2.3", true],
    ["10.0.0.0/8", "https://11.1.2.3", false],
    ["10.1.2.3", "https://10.1.2.3:5000", true],
    ["10.1.2.3:5000", "https://10.1.2.3:5000", true],
    ["10.1.2.3:5001", "https://10.1.2.3:5000", false],
    ["fd00::/8", "https://[fd00::1]:5000", true],
    ["[fd00::1]:5000", "https://[fd00::1]:5000", true],
    ["10.0.0.0/8", "https://ten.example", false],
    ["b.example, a.example", "https://a.example", true],
    ["b.example a.example", "https://a.example", true],
    [" , ", "https://a.example", false],
  ];
  for (const [list, url, direct] of table)
    for (const name of ["NO_PROXY", "no_proxy"])
      assert.equal(
        via(url, { HTTPS_PROXY: "p:1", HTTP_PROXY: "p:1", [name]: list }) === undefined,
        direct,
        `${list} ${url}`,
      );
});

test("a proxy that makes no sense is named by its variable, never by its text", () => {
  for (const text of ["socks4://user:secret@proxy:1080", "http://", "http://user:secret@:80", "a b secret"])
    assert.throws(
      () => parseProxy(text, "HTTPS_PROXY"),
      (error) =>
        isDrayError(error, "CONFIG_INVALID") &&
        error.message.includes("HTTPS_PROXY") &&
        !error.message.includes("secret"),
      text,
    );
});
