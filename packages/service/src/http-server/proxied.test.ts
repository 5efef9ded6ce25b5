import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { request as ask } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { rawClient, statuses } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { freePort } from "@dray/testkit/peers";
import type { Handler, HttpRequest } from "dray/http";
import { bare, HttpError, withError } from "../response/index.ts";
import { listen } from "./index.ts";

/** Proxies that people put before a registry, as they are commonly configured for one. */
interface Proxy {
  readonly name: string;
  readonly program: string;
  readonly config: (at: { directory: string; port: number; upstream: number }) => string;
  readonly args: (config: string) => string[];
}

const proxies: readonly Proxy[] = [
  {
    name: "nginx",
    program: "/usr/sbin/nginx",
    config: ({ directory, port, upstream }) => `
daemon off; pid ${directory}/pid; error_log ${directory}/error.log; worker_processes 1;
events { worker_connections 64; }
http {
  access_log off;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${directory}/${kind};`).join(" ")}
  client_max_body_size 0;
  upstream registry { server 127.0.0.1:${upstream}; keepalive 8; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://registry;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_buffering off;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}`,
    args: (config) => ["-c", config, "-e", "/dev/null"],
  },
  {
    name: "haproxy",
    program: "/usr/sbin/haproxy",
    config: ({ port, upstream }) => `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option forwardfor
frontend front
  bind 127.0.0.1:${port}
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  default_backend registry
backend registry
  http-reuse always
  server one 127.0.0.1:${upstream}
`,
    args: (config) => ["-f", config],
  },
];

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => resolve(false));
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });

const behind = async (proxy: Proxy, upstream: number, use: (port: number) => Promise<void>): Promise<void> => {
  const directory = temporaryFolder("proxied");
  let child: ChildProcess | undefined;
  try {
    const port = await freePort();
    const config = join(directory, "config");
    await mkdir(join(directory, "client_body"));
    await writeFile(config, proxy.config({ directory, port, upstream }));
    child = spawn(proxy.program, proxy.args(config), { stdio: ["ignore", "ignore", "pipe"] });
    let [said, ended] = ["", false];
    child.stderr?.on("data", (bytes) => (said += bytes));
    child.on("exit", () => (ended = true));
    while (!(await answers(port))) {
      if (ended) throw new Error(`${proxy.name} does not start: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await use(port);
  } finally {
    if (child !== undefined && child.exitCode === null) {
      const gone = new Promise((resolve) => child?.once("exit", resolve));
      child.kill("SIGTERM");
      await gone;
    }
  }
};

const seen: string[] = [];
let last: HttpRequest | undefined;
const handler: Handler = async (request) => {
  seen.push(`${request.method} ${request.target}`);
  last = request;
  if (request.target === "/refuse") return withError(request, new HttpError(401, "UNAUTHORIZED", "no"));
  const { body } = request;
  const hash = createHash("sha256");
  if (body !== undefined && "chunks" in body) for await (const chunk of body.chunks) hash.update(chunk);
  return bare(request, 201, { Location: "/v2/a/blobs/uploads/1", "X-Hash": hash.digest("hex") });
};

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
}

const put = (
  port: number,
  path: string,
  body: Iterable<Uint8Array>,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const request = ask({ host: "127.0.0.1", port, path, method: "PUT", agent: false, headers }, (response) => {
      response.resume().on("error", () => {});
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
      request.on("error", () => {});
    });
    request.on("error", reject);
    void (async () => {
      for (const chunk of body) await new Promise<void>((done) => request.write(chunk, () => done()));
      request.end();
    })();
  });

function* blocks(count: number): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) yield Buffer.alloc(256 * 1024, i);
}

for (const proxy of proxies) {
  const skip = existsSync(proxy.program) ? false : `${proxy.program} is not installed`;

  const through =
    (use: (port: number) => Promise<void>, trustedProxies: readonly string[] = ["127.0.0.1"]) =>
    async (): Promise<void> => {
      seen.length = 0;
      const server = await listen(handler, { trustedProxies });
      try {
        await behind(proxy, server.port, use);
      } finally {
        await server.close();
      }
    };

  test(
    `behind ${proxy.name}: a large upload in chunks comes whole, and Location is as it was written`,
    { skip },
    through(async (port) => {
      const hash = createHash("sha256");
      for (const block of blocks(128)) hash.update(block);
      const { status, headers } = await put(port, "/v2/x", blocks(128));
      assert.deepEqual(
        [status, headers["location"], headers["x-hash"]],
        [201, "/v2/a/blobs/uploads/1", hash.digest("hex")],
      );
    }),
  );

  test(
    `behind ${proxy.name}: who asks, and for which host, is what the proxy says`,
    { skip },
    through(async (port) => {
      await put(port, "/v2/x", [], { Host: "registry.example:8080", "X-Forwarded-For": "203.0.113.9" });
      // The proxy appended its own client, which is trusted here as well: what that said counts.
      assert.deepEqual([last?.origin, last?.peer], ["http://registry.example:8080", "203.0.113.9"]);
    }),
  );

  test(
    `behind ${proxy.name}: a proxy that is not listed says nothing`,
    { skip },
    through(
      async (port) => {
        await put(port, "/v2/x", [], { Host: "registry.example:8080", "X-Forwarded-For": "203.0.113.9" });
        assert.match(String(last?.peer), /^127\.0\.0\.1:\d+$/);
      },
      ["10.0.0.0/8"],
    ),
  );

  test(
    `behind ${proxy.name}: a refused upload is heard of, and the next request is answered`,
    { skip },
    through(async (port) => {
      for (let i = 0; i < 5; i++) {
        assert.equal((await put(port, "/refuse", blocks(64))).status, 401);
        assert.equal((await put(port, "/v2/x", blocks(1))).status, 201);
      }
    }),
  );

  for (const [name, attempt] of [
    ["Content-Length and Transfer-Encoding", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["Transfer-Encoding before Content-Length", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"],
    ["two Content-Lengths", "Content-Length: 0\r\nContent-Length: 45\r\n\r\n"],
    ["a strange Transfer-Encoding", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"],
    ["a space before the colon", "Transfer-Encoding : chunked\r\nContent-Length: 45\r\n\r\n0\r\n\r\n"],
    ["a folded Transfer-Encoding", "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"],
    ["a chunk that is longer than it says", "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"],
    ["a chunk size with an extension that ends in LF", "Transfer-Encoding: chunked\r\n\r\n0;\n\r\n"],
  ] as const)
    test(
      `behind ${proxy.name}: ${name} smuggles nothing`,
      { skip },
      through(async (port) => {
        const client = await rawClient(port);
        // Whatever the proxy makes of it, the second request must be seen by both or by none.
        client.send(
          `PUT /v2/x HTTP/1.1\r\nHost: a\r\n${attempt}GET /v2/second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
        );
        client.socket.setTimeout(3000, () => client.socket.destroy());
        const { text } = await client.ended();
        const ours = seen.filter((line) => line === "GET /v2/second").length;
        const answered = statuses(text).filter((status) => status === 201).length;
        assert.ok(ours <= 1);
        assert.ok(ours === 0 || answered === 2, `${seen.join(", ")}: ${text}`);
        // And the connection that the proxy keeps to us is not out of step.
        const { status, headers } = await put(port, "/v2/after", blocks(1));
        assert.deepEqual(
          [status, headers["x-hash"]],
          [
            201,
            createHash("sha256")
              .update(Buffer.alloc(256 * 1024))
              .digest("hex"),
          ],
        );
        assert.equal(seen.at(-1), "PUT /v2/after");
      }),
    );
}
