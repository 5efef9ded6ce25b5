import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isDrayError } from "dray/errors";
import { digestOf } from "dray/oci";
import { type Driver, memoryDriver } from "../storage/index.ts";
import { uploadData, uploadFolder, uploadStarted } from "../tree/paths.ts";
import { createUploads, OutOfOrder, type Uploads } from "./index.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const read = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : new TextDecoder().decode(bytes);
async function* from(...values: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const value of values) yield typeof value === "string" ? text(value) : value;
}
const sessions = (driver: Driver, options: { now?: () => number; silence?: number; lease?: number } = {}): Uploads =>
  createUploads({ driver, now: Date.now, lease: 60_000, silence: 5000, ...options });
const owner = "alice";

describe("a session", () => {
  test("takes a blob in pieces and hands it over as a file", async () => {
    const driver = memoryDriver();
    const uploads = sessions(driver);
    const upload = await uploads.begin("team/app", { owner });
    assert.match(upload.id, /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
    assert.equal(await upload.append(from("hello"), { at: 0 }), 5);
    assert.equal(await upload.offset(), 5);
    assert.equal(await upload.append(from(", ", "world"), {}), 12);
    assert.equal(read(await driver.read(uploadData("team/app", upload.id))), "hello, world");
    assert.match(
      read(await driver.read(uploadStarted("team/app", upload.id))) ?? "",
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    );
    assert.deepEqual(await upload.digest("sha256"), { digest: digestOf(text("hello, world")), size: 12 });
    assert.deepEqual(await upload.digest("sha512"), { digest: digestOf(text("hello, world"), "sha512"), size: 12 });
    const taken = await upload.finish(async (path) => read(await driver.read(path)));
    assert.equal(taken, "hello, world");
    assert.equal(await driver.stat(uploadFolder("team/app", upload.id)), undefined);
    assert.equal(uploads.open, 0);
    await assert.rejects(upload.append(from("more"), {}), (error) => isDrayError(error, "NOT_FOUND"));
    assert.equal(await uploads.find("team/app", upload.id, owner), undefined);
  });

  test("with all of a little blob in one request never touches the storage", async () => {
    const driver = memoryDriver();
    const uploads = sessions(driver);
    const upload = await uploads.begin("a", { owner });
    await upload.append(from("{", "}"), { last: true });
    assert.deepEqual(await upload.digest("sha256"), { digest: digestOf(text("{}")), size: 2 });
    const taken = await upload.finish(
      async () => "a file",
      async (bytes) => read(bytes),
    );
    assert.equal(taken, "{}");
    assert.equal(driver.listSync("docker"), undefined);
  });

  test("refuses what is not at its offset", async () => {
    const uploads = sessions(memoryDriver());
    const upload = await uploads.begin("a", { owner });
    await upload.append(from("abc"), { at: 0 });
    for (const at of [0, 2, 4])
      await assert.rejects(
        upload.append(from("x"), { at }),
        (error) => error instanceof OutOfOrder && error.offset === 3,
      );
    assert.equal(await upload.append(from("d"), { at: 3 }), 4);
  });
});
