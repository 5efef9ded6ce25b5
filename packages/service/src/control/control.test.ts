import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readdir, stat } from "node:fs/promises";
import { request } from "node:http";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { DrayError } from "dray/errors";
import {
  type ControlActions,
  type ControlClient,
  type ControlFormat,
  type ControlServer,
  control as connect,
  serveControl as listen,
} from "./index.ts";

interface Found {
  readonly reason: string;
}

/** What a program may be asked. */
interface Questions {
  gc: {
    readonly options: { readonly dryRun?: boolean; readonly grace?: number };
    readonly progress: Found;
    readonly result: object;
  };
  check: { readonly options: object; readonly progress: { readonly name: string }; readonly result: object };
  verify: { readonly options: object; readonly progress: Found; readonly result: object };
  rebuild: { readonly options: object; readonly progress: never; readonly result: object };
  "read-only": { readonly options: { readonly on: boolean }; readonly progress: never; readonly result: object };
  status: { readonly options: object; readonly progress: never; readonly result: object };
}

const format: ControlFormat<Questions> = {
  program: "the registry",
  words: {
    gc: { options: { dryRun: "boolean", grace: "number" } },
    check: {},
    verify: {},
    rebuild: {},
    "read-only": { options: { on: "boolean" }, needs: ["on"] },
    status: { reads: true },
  },
};
const socketPath = (folder: string): string => join(folder, "dray", "control.sock");
const control = (folder: string): Promise<ControlClient<Questions> | undefined> => connect(socketPath(folder), format);
const serveControl = (folder: string, actions: ControlActions<Questions>): Promise<ControlServer> =>
  listen({ path: socketPath(folder), serves: folder, format, actions });

const collected = { manifests: 1, blobs: 3, kept: 5, dryRun: true, seconds: 0.5 };

const asked: unknown[] = [];
let endless: PromiseWithResolvers<void>;
const actions: ControlActions<Questions> = {
  gc: async (options, { tell }) => {
    asked.push(options);
    tell({ reason: "unreferenced" });
    tell({ reason: "line\nbreak" });
    return collected;
  },
  check: async (_, { tell }) => {
    tell({ name: "1" });
    throw new DrayError("DISK", "cannot read: input/output");
  },
  // Goes on until whoever asked has gone.
  verify: (_, { tell, signal }) =>
    new Promise((_, reject) => {
      tell({ reason: "begun" });
      signal.addEventListener("abort", () => {
        endless.resolve();
        reject(signal.reason instanceof DrayError ? signal.reason : new DrayError("ABORTED", "gone"));
      });
    }),
  rebuild: () => Promise.reject(new TypeError("a fault of ours")),
  "read-only": async (options) => options,
  status: async () => ({ readOnly: false }),
};

let root: string;
before(async () => {
  root = temporaryFolder("control");
  // Another user comes as far as the socket.
  await chmod(root, 0o755);
});
const raw = (
  path: string,
  method: string,
  target: string,
  body = "",
): Promise<{ status: number | undefined; text: string }> =>
  new Promise((resolve, reject) => {
    const sent = request({ socketPath: path, method, path: target, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.once("end", () => resolve({ status: response.statusCode, text }));
    });
    sent.once("error", reject);
    sent.end(body);
  });

for (const [title, name] of [
  ["a short path", "data"],
  ["a path that is too long for a socket", `${"deep/".repeat(20)}data`],
] as const) {
  describe(`at ${title}`, () => {
    let data: string;
    let server: ControlServer;
    before(async () => {
      data = join(root, name);
      assert.equal(await control(data), undefined);
      server = await serveControl(data, actions);
    });
    after(() => server.close());

    test("the socket is the owner's alone, and nothing else is left beside it", async () => {
      assert.equal((await stat(socketPath(data))).mode & 0o777, 0o600);
      assert.deepEqual(await readdir(dirname(socketPath(data))), ["control.sock"]);
    });

    test("a question is asked with its options, told as it goes on, and answered", async () => {
      const client = await control(data);
      const progress: unknown[] = [];
      assert.deepEqual(
        await client?.ask("gc", { dryRun: true, grace: 5 }, { onProgress: (one) => progress.push(one.reason) }),
        collected,
      );
      assert.deepEqual(asked.splice(0), [{ dryRun: true, grace: 5 }]);
      assert.deepEqual(progress, ["unreferenced", "line\nbreak"]);
      assert.deepEqual(await client?.ask("read-only", { on: true }), { on: true });
      assert.deepEqual(await client?.ask("status", {}), { readOnly: false });
    });

    test("what goes wrong there is an error here, with its code and after what was told", async () => {
      const client = await control(data);
      const progress: unknown[] = [];
      await assert.rejects(async () => client?.ask("check", {}, { onProgress: (one) => progress.push(one.name) }), {
        code: "DISK",
        message: "cannot read: input/output",
      });
      assert.deepEqual(progress, ["1"]);
      await assert.rejects(async () => client?.ask("rebuild", {}), { code: "REGISTRY", message: /a fault of ours/ });
    });

    test("who goes away ends what he asked for", async () => {
      endless = Promise.withResolvers();
      const client = await control(data);
      const here = new AbortController();
      await assert.rejects(
        async () => client?.ask("verify", {}, { signal: here.signal, onProgress: () => here.abort() }),
        { code: "ABORTED" },
      );
      await endless.promise;
    });
  });
}

describe("by hand", () => {
  let server: ControlServer;
  before(async () => {
    server = await serveControl(join(root, "hand"), actions);
  });
  after(() => server.close());

  test("an answer is lines of JSON", async () => {
    const { status, text } = await raw(server.path, "POST", "/gc", "{}");
    assert.equal(status, 200);
    assert.deepEqual(
      text.split("\n").map((line) => (line === "" ? [] : Object.keys(JSON.parse(line)))),
      [["progress"], ["progress"], ["result"], []],
    );
  });

  test("a question that makes no sense is refused with a reason", async () => {
    for (const [method, target, body, status, message] of [
      ["GET", "/nothing", "", 404, "there is no /nothing"],
      ["GET", "/toString", "", 404, "there is no /toString"],
      ["GET", "/gc", "", 405, "POST /gc"],
      ["POST", "/status", "", 405, "GET /status"],
      ["POST", "/gc", "{", 400, "gc: the body is no JSON"],
      ["POST", "/gc", "[]", 400, "gc: the body is no JSON object"],
      ["POST", "/gc", '{"dryrun":true}', 400, 'gc knows no "dryrun"'],
      ["POST", "/gc", '{"toString":true}', 400, 'gc knows no "toString"'],
      ["POST", "/gc", '{"grace":-1}', 400, 'gc: "grace" is a number, 0 or more'],
      ["POST", "/gc", '{"dryRun":"yes"}', 400, 'gc: "dryRun" is a boolean'],
      ["POST", "/read-only", "{}", 400, 'read-only needs "on"'],
      ["POST", "/gc", `"${"x".repeat(70_000)}"`, 400, "the question is too large"],
    ] as const) {
      const answer = await raw(server.path, method, target, body);
      assert.deepEqual([answer.status, JSON.parse(answer.text).error.message], [status, message], target);
    }
    assert.deepEqual(asked.splice(0), [{}]);
  });
});

test("who serves already is not replaced", async () => {
  const data = join(root, "twice");
  const server = await serveControl(data, actions);
  await assert.rejects(serveControl(data, actions), { code: "LOCKED" });
  assert.notEqual(await control(data), undefined);
  await server.close();
  assert.equal(await control(data), undefined);
  assert.deepEqual(await readdir(join(data, "dray")), []);
});

test("what a killed process left behind is replaced", async () => {
  const data = join(root, "killed");
  const path = socketPath(data);
  await mkdir(join(data, "dray", ".control-left"), { recursive: true });
  const child = spawn(
    process.execPath,
    ["-e", `require("node:net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "close");
  assert.ok((await stat(path)).isSocket());
  assert.equal(await control(data), undefined);
  const server = await serveControl(data, actions);
  assert.deepEqual(await (await control(data))?.ask("status", {}), { readOnly: false });
  assert.deepEqual(await readdir(join(data, "dray")), ["control.sock"]);
  await server.close();
});

test("a registry that ends tells whoever waits", async () => {
  endless = Promise.withResolvers();
  const data = join(root, "ends");
  const server = await serveControl(data, actions);
  const client = await control(data);
  const begun = Promise.withResolvers<void>();
  const waiting = client?.ask("verify", {}, { onProgress: () => begun.resolve() });
  await begun.promise;
  await Promise.all([
    server.close(),
    assert.rejects(async () => waiting, { code: "ABORTED", message: /about to end/ }),
  ]);
  await assert.rejects(async () => client?.ask("status", {}), { code: "NETWORK" });
});

test("another user is told whom to be", {
  skip: process.getuid?.() === 0 ? false : "needs root, to become somebody else",
}, async () => {
  const data = join(root, "theirs");
  const server = await serveControl(data, actions);
  const client = new URL("./index.ts", import.meta.url).href;
  const child = spawn(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `const { control } = await import(${JSON.stringify(client)});
       process.setgid(65534); process.setuid(65534);
       await control(${JSON.stringify(socketPath(data))}, ${JSON.stringify(format)}).then(() => console.log("in"), (error) => console.log(error.code));`,
    ],
    { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, HOME: "/" } },
  );
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await once(child, "close");
  assert.equal(said, "DENIED\n");
  await server.close();
});
