import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, connect, createServer as createNetServer, type Socket } from "node:net";
import { test } from "node:test";
import { testCertificates } from "@dray/testkit";
import { rawServer } from "../../test/raw-server.ts";
import { collect } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { type ConnectionOptions, connection } from "./connection.ts";
import type { HttpRequest } from "./types.ts";

const { ca, server: pair } = testCertificates({ hosts: ["registry.example"] });

interface Proxy {
  readonly port: number;
  /** `CONNECT host:port`, or `GET url`, with the headers it came with. */
  readonly seen: (readonly [what: string, headers: IncomingHttpHeaders])[];
  /** Tunnels, asked for or open. */
  readonly open: ReadonlySet<Socket>;
  close(): Promise<void>;
}

/** A proxy that leads every CONNECT to one port and answers every other request itself. `refuse`: the status it answers a CONNECT with. */
const proxyTo = async (
  port: number,
  { secure = false, refuse }: { secure?: boolean; refuse?: number } = {},
): Promise<Proxy> => {
  const seen: [string, IncomingHttpHeaders][] = [];
  const sockets = new Set<Socket>();
  const proxy = secure ? createSecureServer(pair) : createServer();
  proxy.on("request", (request, response) => {
    seen.push([`${request.method} ${request.url}`, request.headers]);
    response.end("from the proxy");
  });
  proxy.on("connect", (request, socket: Socket, head: Buffer) => {
    seen.push([`CONNECT ${request.url}`, request.headers]);
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    if (refuse === 0) return void socket.once("end", () => socket.end());
    if (refuse !== undefined) return void socket.end(`HTTP/1.1 ${refuse} No\r\nContent-Length: 2\r\n\r\nno`);
    const target = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      if (head.length > 0) target.write(head);
      target.pipe(socket);
      socket.pipe(target);
    });
    target.on("error", () => socket.destroy());
    sockets.add(target);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return {
    port: (proxy.address() as AddressInfo).port,
    seen,
    open: sockets,
    close: () => {
      for (const socket of sockets) socket.destroy();
      proxy.closeAllConnections();
      return new Promise((resolve) => proxy.close(() => resolve()));
    },
  };
};

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nregistry";
/** Nobody may look a name up that a proxy is to look up. */
const resolve = () => Promise.reject(new Error("looked up"));

const ask = async (origin: string, options: ConnectionOptions, times = 1): Promise<string[]> => {
  const send = connection({ ca: ca.cert, resolve, ...options });
  const answers: string[] = [];
  try {
    for (let nth = 0; nth < times; nth++) {
      const request: HttpRequest = {
        method: "GET",
        origin,
        target: "/v2/?n=1",
        headers: [["Authorization", "Bearer x"]],
      };
      answers.push(Buffer.from(await collect((await send(request)).body.chunks, 1_000, "answer")).toString());
    }
    return answers;
  } finally {
    await send.close();
  }
};

test("https goes through a tunnel that is kept, and the proxy sees nothing of it", async () => {
  const registry = await rawServer((_, socket) => socket.write(ok), pair);
  try {
    for (const secure of [false, true]) {
      const proxy = await proxyTo(registry.port, { secure });
      const url = `${secure ? "https" : "http"}://us%40er:p%3Aw@127.0.0.1:${proxy.port}`;
      const answers = await ask("https://registry.example", { env: { HTTPS_PROXY: url } }, 2);
      assert.deepEqual(answers, ["registry", "registry"]);
      assert.equal(proxy.seen.length, 1);
      const [[what, headers] = ["", {}]] = proxy.seen;
      assert.equal(what, "CONNECT registry.example:443");
      assert.equal(headers.host, "registry.example:443");
      assert.equal(headers["proxy-authorization"], `Basic ${Buffer.from("us@er:p:w").toString("base64")}`);
      assert.equal(headers.authorization, undefined);
      await proxy.close();
    }
  } finally {
    await registry.close();
  }
});

test("http is asked for by its whole URL", async () => {
  for (const secure of [false, true]) {
    const proxy = await proxyTo(0, { secure });
    const url = `${secure ? "https" : "http"}://me:pw@127.0.0.1:${proxy.port}`;
    assert.deepEqual(await ask("http://registry.example:5000", { proxy: url }), ["from the proxy"]);
    const [[what, headers] = ["", {}]] = proxy.seen;
    assert.equal(what, "GET http://registry.example:5000/v2/?n=1");
    assert.equal(headers.host, "registry.example:5000");
    assert.equal(headers["proxy-authorization"], `Basic ${Buffer.from("me:pw").toString("base64")}`);
    await proxy.close();
  }
});

test("which way is taken: the option, the environment, NO_PROXY, or none", async () => {
  const registry = await rawServer((_, socket) => socket.write(ok));
  const proxy = await proxyTo(0);
  const url = `http://127.0.0.1:${proxy.port}`;
  const direct = { resolve: () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]) };
  const origin = `http://registry.example:${registry.port}`;
  const table: readonly [string, ConnectionOptions, string][] = [
    ["environment", { env: { HTTP_PROXY: url } }, "from the proxy"],
    ["another scheme's", { env: { HTTPS_PROXY: url }, ...direct }, "registry"],
    ["excluded", { env: { HTTP_PROXY: url, NO_PROXY: ".example" }, ...direct }, "registry"],
    ["forbidden", { env: { HTTP_PROXY: url }, proxy: false, ...direct }, "registry"],
    ["named", { env: { NO_PROXY: "*" }, proxy: url }, "from the proxy"],
    ["nothing said", { env: {}, ...direct }, "registry"],
  ];
  try {
    for (const [name, options, answer] of table) assert.deepEqual(await ask(origin, options), [answer], name);
  } finally {
    await Promise.all([registry.close(), proxy.close()]);
  }
});

/** A SOCKS 5 proxy that leads everything to one port. `user`: whom it wants to know. `code`: what it answers instead. */
const socksTo = async (port: number, { user, code = 0 }: { user?: string; code?: number } = {}) => {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  const server = createNetServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    const step = (work: (bytes: Buffer) => void): void => void socket.once("data", work);
    const connected = (bytes: Buffer): void => {
      const end = 5 + (bytes[4] ?? 0);
      const to = bytes[3] === 3 ? bytes.subarray(5, end).toString() : [...bytes.subarray(4, 8)].join(".");
      seen.push(`${to}:${bytes.readUInt16BE(bytes.byteLength - 2)}`);
      socket.write(Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]));
      if (code !== 0) return;
      const target = connect(port, "127.0.0.1");
      sockets.add(target);
      target.on("error", () => socket.destroy());
      socket.pipe(target).pipe(socket);
    };
    step(() => {
      socket.write(Buffer.from([5, user === undefined ? 0 : 2]));
      if (user === undefined) return step(connected);
      step((bytes) => {
        seen.push(
          bytes
            .subarray(1)
            .toString("latin1")
            .replace(/[\x00-\x1f]/g, "|"),
        );
        socket.write(Buffer.from([1, bytes.toString("latin1").includes(user) ? 0 : 1]));
        step(connected);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return { port: (server.address() as AddressInfo).port, seen, close };
};

test("a SOCKS proxy is gone through, for http and https, and looks names up by itself", async () => {
  const plain = await rawServer((_, socket) => socket.write(ok));
  const secure = await rawServer((_, socket) => socket.write(ok), pair);
  for (const [origin, registry] of [
    [`http://registry.example:${plain.port}`, plain],
    [`https://registry.example:${secure.port}`, secure],
  ] as const) {
    const proxy = await socksTo(registry.port, { user: "bob" });
    const url = `socks5://bob:p%40ss@127.0.0.1:${proxy.port}`;
    assert.deepEqual(await ask(origin, { proxy: url, ca: ca.cert }), ["registry"]);
    assert.deepEqual(proxy.seen, ["|bob|p@ss", `registry.example:${registry.port}`]);
    await proxy.close();
  }
  for (const [options, words] of [
    [{ code: 2 }, /the proxy 127\.0\.0\.1:\d+ refused a connection to registry\.example:\d+: its rules forbid that/],
    [{ user: "ann" }, /its user or password is wrong/],
  ] as const) {
    const proxy = await socksTo(plain.port, options);
    const url = `socks5://bob:secret@127.0.0.1:${proxy.port}`;
    await assert.rejects(ask(`http://registry.example:${plain.port}`, { proxy: url }), (error) => {
      assert.ok(isDrayError(error, "NETWORK"));
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
    await proxy.close();
  }
  await Promise.all([plain.close(), secure.close()]);
});

test("a proxy that refuses a request of plain http is named, and a password with a bare % is one", async () => {
  const heads: string[] = [];
  const proxy = await rawServer((head, socket) => {
    heads.push(head);
    socket.write("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n");
  });
  const url = `http://bob:100%pw@127.0.0.1:${proxy.port}`;
  await assert.rejects(ask("http://registry.example:5000", { proxy: url }), (error) => {
    assert.ok(isDrayError(error, "NETWORK"));
    assert.match(error.message, /the proxy 127\.0\.0\.1:\d+ refused a connection to registry\.example:5000 with 407/);
    return true;
  });
  const sent = /Proxy-Authorization: Basic (\S+)/i.exec(heads[0] ?? "")?.[1] ?? "";
  assert.equal(Buffer.from(sent, "base64").toString(), "bob:100%pw");
  await proxy.close();
});

test("a proxy that refuses, is silent or is not there is named, its password never", async () => {
  const failure = async (port: number, options: ConnectionOptions = {}) => {
    try {
      await ask("https://registry.example", { proxy: `http://user:secret@127.0.0.1:${port}`, ...options });
    } catch (error) {
      assert.ok(isDrayError(error), String(error));
      assert.doesNotMatch(error.message, /secret/);
      return error;
    }
    throw new Error("the request was expected to fail");
  };
  const table: readonly [number, string, RegExp, boolean][] = [
    [
      407,
      "NETWORK",
      /the proxy 127\.0\.0\.1:\d+ refused a connection to registry\.example:443 with 407; give it a user and password/,
      false,
    ],
    [403, "NETWORK", /with 403; ask its operator/, false],
    [502, "NETWORK", /with 502/, true],
    [
      0,
      "TIMEOUT",
      /^cannot connect to registry\.example:443 through the proxy 127\.0\.0\.1:\d+ within 0\.05 s \(connect time-out\)$/,
      true,
    ],
  ];
  for (const [refuse, code, words, retryable] of table) {
    const proxy = await proxyTo(0, { refuse });
    const error = await failure(proxy.port, { timeouts: { connect: refuse === 0 ? 50 : 5_000 } });
    assert.equal(error.code, code);
    assert.match(error.message, words);
    assert.equal(error.retryable, retryable);
    while (proxy.open.size > 0) await new Promise((done) => setTimeout(done, 1));
    await proxy.close();
  }
  const gone = await failure(1);
  assert.equal(gone.code, "NETWORK");
  assert.match(
    gone.message,
    /cannot reach the proxy 127\.0\.0\.1:1 on the way to registry\.example: connection refused/,
  );
});

/** Answers whatever comes first with this. */
const answering = async (answer: string | undefined): Promise<{ port: number; close: () => void }> => {
  const sockets = new Set<Socket>();
  const server = createNetServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    if (answer !== undefined) socket.once("data", () => socket.end(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, close };
};

test("a proxy that does not speak as its address says is named for that, and nothing is said of the registry", async (t) => {
  const plain = await answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  const other = await answering("SSH-2.0-OpenSSH_9.2\r\n");
  const silent = await answering(undefined);
  t.after(() => [plain, other, silent].forEach(({ close }) => close()));
  const refused = (origin: string, proxy: string, says: RegExp, timeouts = {}): Promise<void> =>
    assert.rejects(ask(origin, { proxy, timeouts }), (error) => {
      assert.ok(isDrayError(error));
      assert.match(error.message, says, `${origin} ${proxy}`);
      assert.notEqual(error.remedy, "plain-http");
      return true;
    });
  const noTls = /it does not speak TLS; write it as http:\/\/127\.0\.0\.1:\d+$/;
  for (const origin of ["https://registry.example", "http://registry.example:5000"])
    for (const { port } of [plain, other]) {
      const toProxy = /cannot reach the proxy 127\.0\.0\.1:\d+ on the way to registry\.example(?::\d+)?:/;
      await refused(origin, `https://127.0.0.1:${port}`, new RegExp(`^${toProxy.source} ${noTls.source}`));
    }
  const through = /registry\.example:5000 through the proxy 127\.0\.0\.1:\d+/;
  const plainWay = (port: number, says: RegExp, timeouts = {}) =>
    refused(
      "http://registry.example:5000",
      `http://127.0.0.1:${port}`,
      new RegExp(`^${through.source} ${says.source}`),
      timeouts,
    );
  await plainWay(other.port, /sent something that is no HTTP/);
  await plainWay(silent.port, /did not answer within 0\.05 s/, { headers: 50 });
});
