import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { after, before, test } from "node:test";
import { type Listener, listen, memoryRegistry, put, sampleImage } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { rehearse } from "../../test/rehearse.ts";
import { run } from "../run.ts";

const image = sampleImage({ seed: "registry-serve" });

let home: string;
let source: Listener;
before(async () => {
  home = temporaryFolder("registry-serve");
  const registry = memoryRegistry();
  put(registry, "app", "1", image);
  source = await listen(registry.handler);
});
after(() => source.close());

interface Served {
  readonly port: number;
  /** Ends it, and tells how it ended and what it said. */
  stop(): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }>;
}

/** Starts it in this process and waits for its port. */
const served = async (words: readonly string[], env: Record<string, string> = {}): Promise<Served> => {
  const interrupt = new AbortController();
  const told = Promise.withResolvers<number>();
  const said = { stdout: "", stderr: "" };
  const gathering = (name: keyof typeof said): Writable =>
    new Writable({
      write: (chunk: Buffer, _, done) => {
        said[name] += chunk.toString();
        const [, port] = /^serving on port (\d+)$/m.exec(said.stderr) ?? [];
        if (port !== undefined) told.resolve(Number(port));
        done();
      },
    });
  const ended = run(["registry", "serve", ...words], {
    stdin: () => Readable.from([]),
    stdout: gathering("stdout"),
    stderr: gathering("stderr"),
    env: { HOME: home, ...env },
    signal: interrupt.signal,
  });
  const early = ended.then((exitCode) => assert.fail(`it ended with ${exitCode}: ${said.stderr}`));
  const port = await Promise.race([told.promise, early]);
  return {
    port,
    stop: async () => {
      early.catch(() => {});
      interrupt.abort();
      return { exitCode: await ended, ...said };
    },
  };
};

const dray = async (...words: string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await rehearse(home, words);
  assert.equal(exitCode, 0, stderr);
  return stdout;
};

test("it takes an image, gives it back, deletes it, and in memory forgets it with its end", async () => {
  const first = await served(["--address", "127.0.0.1:0"]);
  const name = `127.0.0.1:${first.port}/app:1`;
  await dray("cp", `${source.host}/app:1`, name);
  assert.equal(await dray("digest", name), `${image.root.digest}\n`);
  await dray("pull", name, join(home, "app.tar"));
  await dray("delete", name);
  assert.equal((await rehearse(home, ["digest", name])).exitCode, 5);
  await dray("cp", `${source.host}/app:1`, name);
  const { exitCode, stdout, stderr } = await first.stop();
  assert.deepEqual([exitCode, stdout], [0, ""], "crane says nothing there either");
  assert.doesNotMatch(stderr, /Warning|storing blobs/);
  const second = await served(["--address", "127.0.0.1:0"]);
  assert.equal((await rehearse(home, ["digest", `127.0.0.1:${second.port}/app:1`])).exitCode, 5);
  await second.stop();
});

test("a folder keeps manifests as well as blobs, and is made where it is not there", async () => {
  const words = ["--address", "127.0.0.1:0", "--disk", join(home, "disk", "data")];
  const first = await served(words);
  await dray("cp", `${source.host}/app:1`, `127.0.0.1:${first.port}/app:1`);
  assert.match((await first.stop()).stderr, /^storing blobs in .*disk.data$/m);
  const second = await served(words);
  assert.equal(await dray("digest", `127.0.0.1:${second.port}/app:1`), `${image.root.digest}\n`);
  await second.stop();
});

test("without an address it is at $PORT of every interface, else at a free port, and says who reaches it", async () => {
  const busy = createServer().listen({ port: 0, host: "::" });
  await once(busy, "listening");
  const PORT = String((busy.address() as AddressInfo).port);
  const { exitCode, stderr } = await rehearse(home, ["registry", "serve"], { env: { PORT } });
  assert.equal(exitCode, 1);
  assert.match(stderr, new RegExp(`cannot listen on \\S*:${PORT}: another program does; .* with --address\n$`));
  // What is said wins over what surrounds, and empty is not said.
  for (const [words, env] of [
    [["--address", "127.0.0.1:0"], { PORT }],
    [["--address="], { PORT: "" }],
    [[], {}],
    [[], { PORT: "0" }],
  ] as const) {
    const registry = await served(words, env);
    assert.notEqual(registry.port, Number(PORT));
    assert.equal(await dray("catalog", `127.0.0.1:${registry.port}`), "");
    const ended = await registry.stop();
    assert.equal(/^Warning: whoever reaches this machine may push/m.test(ended.stderr), words[0] !== "--address");
  }
  busy.close();
});

test("what names no address is refused", async () => {
  const rows: readonly [words: string, env: Record<string, string>, says: RegExp][] = [
    ["--address 5000", {}, /--address: "5000" is no address; write HOST:PORT, as 127\.0\.0\.1:5000/],
    ["--address :70000", {}, /--address: ":70000" has a port that is too large/],
    ["", { PORT: "abc" }, /PORT="abc": expected a port from 0 to 65535/],
    ["", { PORT: "70000" }, /PORT="70000": expected a port/],
    ["data", {}, /too many arguments|unexpected/],
    ["--blobs-to-disk data", {}, /here it is --disk FOLDER/],
  ];
  for (const [words, env, says] of rows) {
    const typed = ["registry", "serve", ...words.split(" ").filter(Boolean)];
    const { exitCode, stderr } = await rehearse(home, typed, { env });
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, says);
  }
});

test("variables of dray serve do not reach it", async () => {
  const env = { DRAY_SERVE_DATA: join(home, "never"), DRAY_SERVE_LISTEN: "nonsense", REGISTRY_AUTH: "htpasswd" };
  const registry = await served(["--address", "127.0.0.1:0"], env);
  assert.equal(await dray("catalog", `127.0.0.1:${registry.port}`), "");
  assert.doesNotMatch((await registry.stop()).stderr, /never/);
});
