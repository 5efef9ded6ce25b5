import assert from "node:assert/strict";
import { type ErrorCode, isDrayError } from "dray/errors";
import { type DigestAlgorithm, digestOf } from "dray/oci";
import { uploadFolder } from "../../src/distribution-tree/paths.ts";
import type { Driver } from "../../src/storage/index.ts";
import { OutOfOrder, type Upload, Uploads } from "../../src/uploads/index.ts";

export const owner = "alice";
export const repository = "team/app";

export const outOfOrder =
  (offset: number) =>
  (error: unknown): boolean =>
    error instanceof OutOfOrder && error.offset === offset;
export const failed =
  (code: ErrorCode) =>
  (error: unknown): boolean =>
    isDrayError(error, code);

/** A driver with sessions over it, and what tests ask of them. */
export class UploadsHarness {
  /** Set before the first test. */
  driver!: Driver;
  readonly #begun: Uploads[] = [];

  /** As after a restart: what it knows lies in the tree. */
  start(options: { silence?: number } = {}): Uploads {
    const uploads = new Uploads({ driver: this.driver, now: Date.now, lease: 60_000, silence: 20, ...options });
    this.#begun.push(uploads);
    return uploads;
  }

  begin(options: { silence?: number; algorithm?: DigestAlgorithm } = {}): Promise<Upload> {
    const { silence, ...rest } = options;
    return this.start(silence === undefined ? {} : { silence }).begin(repository, { owner, ...rest });
  }

  async found(uploads: Uploads, id: string, who: string = owner): Promise<Upload> {
    const upload = await uploads.find(repository, id, who);
    assert.ok(upload !== undefined, `upload ${id} is not found`);
    return upload;
  }

  readonly contentOf = async (path: string): Promise<Uint8Array> => {
    const file = await this.driver.open(path);
    assert.ok(file !== undefined, `${path} is not there`);
    try {
      const bytes = new Uint8Array(file.size);
      assert.equal(await file.read(bytes, 0), file.size);
      return bytes;
    } finally {
      await file.close();
    }
  };

  /** The session holds these bytes and nothing else, and knows it; it ends. */
  async holds(upload: Upload, bytes: Uint8Array, algorithm: DigestAlgorithm = "sha256"): Promise<void> {
    assert.deepEqual(await upload.digest(algorithm), { digest: digestOf(bytes, algorithm), size: bytes.byteLength });
    const content = await upload.finish(this.contentOf, async (whole) => whole.slice());
    assert.equal(Buffer.compare(content, bytes), 0);
    assert.equal(await this.driver.stat(uploadFolder(repository, upload.id)), undefined);
  }

  async end(): Promise<void> {
    for (const uploads of this.#begun) await uploads.close();
  }
}
