import assert from "node:assert/strict";
import type { Driver } from "../../src/storage/driver.ts";

/** What a test of any driver works on. */
export interface Tested {
  readonly driver: Driver;
  /** A folder for each test. */
  readonly at: string;
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export const same = (actual: Uint8Array | undefined, expected: Uint8Array): void => {
  assert.ok(actual !== undefined, "there is nothing");
  assert.equal(Buffer.compare(actual, expected), 0);
};

export const readAll = async (driver: Driver, path: string): Promise<Uint8Array | undefined> => {
  const file = await driver.open(path);
  if (file === undefined) return undefined;
  try {
    const bytes = new Uint8Array(file.size);
    assert.equal(await file.read(bytes, 0), file.size);
    return bytes;
  } finally {
    await file.close();
  }
};
