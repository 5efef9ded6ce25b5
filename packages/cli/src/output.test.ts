import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { isDrayError } from "dray/errors";
import { Output, OutputClosed } from "./output.ts";

test("lines are gathered, bytes and the end are not held back", async () => {
  const chunks: string[] = [];
  const stream = new Writable({ write: (chunk, _, done) => (chunks.push(String(chunk)), done()) });
  const out = new Output(stream);
  await out.line("a");
  await out.text("b");
  assert.deepEqual(chunks, []);
  await out.bytes(new TextEncoder().encode("raw"));
  assert.deepEqual(chunks, ["a\nb", "raw"]);
  await out.line("x".repeat(20_000));
  assert.equal(chunks.length, 3);
  await out.line("end");
  await out.close();
  assert.equal(chunks.at(-1), "end\n");
  assert.equal(stream.listenerCount("error"), 0);
  assert.equal(stream.listenerCount("close"), 0);
  assert.equal(stream.destroyed, false);
});

test("nothing is sent while the reader is slow", async () => {
  let taken: (() => void) | undefined;
  const stream = new Writable({ write: (_chunk, _encoding, done) => void (taken = () => done()) });
  const out = new Output(stream);
  let done = false;
  const writing = out.bytes(new Uint8Array(10)).then(() => (done = true));
  await new Promise(setImmediate);
  assert.equal(done, false);
  taken?.();
  await writing;
  assert.equal(done, true);
});

test("nobody waits for a reader that takes nothing after Ctrl-C", async () => {
  const interrupt = new AbortController();
  const stream = new Writable({ write: () => {} });
  const out = new Output(stream, interrupt.signal);
  const writing = assert.rejects(out.bytes(new Uint8Array(10)), (error) => isDrayError(error, "ABORTED"));
  interrupt.abort();
  await writing;
  await out.close();
  assert.equal(stream.listenerCount("close") + stream.listenerCount("error"), 0);
});

test("a reader that has gone is no error of ours; a full disk is", async () => {
  const failing = (code: string) =>
    new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })) });
  const rows: readonly [Writable, (error: unknown) => boolean][] = [
    [failing("EPIPE"), (error) => error instanceof OutputClosed],
    [
      failing("ENOSPC"),
      (error) =>
        isDrayError(error, "DISK") &&
        /^cannot write to standard output: the disk is full; free some space and run it again \(ENOSPC\)$/.test(
          error.message,
        ),
    ],
    [
      new Writable({ write: () => void setImmediate(() => rows[2]?.[0].destroy()) }),
      (error) => error instanceof OutputClosed,
    ],
  ];
  for (const [stream, expected] of rows) {
    const out = new Output(stream);
    const writing = assert.rejects(out.bytes(Uint8Array.of(1)), expected);
    if (stream === rows[2]?.[0]) await new Promise(setImmediate);
    await writing;
    await assert.rejects(out.bytes(Uint8Array.of(1)), expected, "and stays gone");
    await out.close();
    assert.doesNotThrow(() => stream.emit("error", new Error("told once more")));
  }
});
