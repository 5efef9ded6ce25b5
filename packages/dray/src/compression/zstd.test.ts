import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompressSync } from "node:zlib";
import { seededBytes } from "@dray/testkit/files";
import { collect } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { digestOf } from "../oci/index.ts";
import { zstd } from "./zstd.ts";
import { proveZstd } from "./zstd-proof.ts";

const text = Buffer.from(Array.from({ length: 400_000 }, (_, i) => `${(i * i) % 7919} of ${i}\n`).join(""));
/** More than one frame of 4 MiB. */
const input = Buffer.concat([text, seededBytes("zstd", 300_000)]);

const made = (bytes: Uint8Array, level: number): Promise<Uint8Array> =>
  collect(
    zstd(
      (async function* () {
        for (let at = 0; at < bytes.byteLength; at += 300_001) yield new Uint8Array(bytes.subarray(at, at + 300_001));
      })(),
      { level },
    ),
    1e9,
    "test",
  );

describe("zstd", () => {
  /** Promised: a change of one is a breaking change. */
  const golden = {
    1: "sha256:5fa4a280e9ed329b2fae901375a31eb97a9cf7dfe960251c002f2e87e838ce7c",
    3: "sha256:c6dd934e291ac6f88bf2e7250186de7396761e03a3be20454a712bbafc356dd0",
    9: "sha256:9982e1c745eab48983e6905e6eb1b6b3b549b49857f21e800690e2d2f53a67fd",
  } as const;
  for (const level of [1, 3, 9] as const)
    test(`gives the promised bytes at level ${level}`, async () => {
      const frames = await made(input, level);
      assert.equal(digestOf(frames), golden[level]);
    });

  test("is undone by zstd, and of nothing is an empty frame", async () => {
    assert.equal(zstdDecompressSync(await made(text.subarray(0, 1_000_000), 3)).byteLength, 1_000_000);
    assert.equal(zstdDecompressSync(await made(new Uint8Array(0), 3)).byteLength, 0);
  });

  const compress = promisify(zstdCompress);
  const of = (bytes: Uint8Array, level: number, checksum: number) =>
    compress(bytes, {
      params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: checksum },
    });

  test("a runtime that makes other bytes is refused, unless any will do", async () => {
    for (const other of [
      (bytes: Uint8Array, level: number) => of(bytes, level + 1, 1),
      (bytes: Uint8Array, level: number) => of(bytes, level, 0),
    ]) {
      await assert.rejects(
        proveZstd(other, 3, {}),
        (error) =>
          isDrayError(error, "UNSUPPORTED") &&
          /makes other bytes than 1\.5\.7 at level 3, .* set DRAY_ANY_ZSTD=1/.test(error.message),
      );
      await proveZstd(other, 3, { DRAY_ANY_ZSTD: "1" });
    }
  });
});
