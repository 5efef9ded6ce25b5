/** Numbers of rpm's ndb, little-endian: "RpmP", "Slot" and "BlbS". @see rpm, lib/backend/ndb/rpmpkg.c */
const [headerMagic, slotMagic, blobMagic] = [0x506d7052, 0x746f6c53, 0x53626c42];
const [pageSize, slotSize, blockSize] = [4096, 16, 16];

/**
 * The blobs of an ndb: pages of slots, of which the first two places are the file's header, each slot with the place of a blob.
 * @throws Error where it is none, RangeError where it ends early
 */
export function* ndbBlobs(bytes: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== headerMagic) throw new Error("it is no database of rpm's ndb");
  const pages = view.getUint32(12, true);
  // Blobs lie beside each other, so that together they are no more than the file.
  let read = 0;
  for (let at = 2 * slotSize; at < pages * pageSize; at += slotSize) {
    if (view.getUint32(at, true) !== slotMagic) continue;
    const [index, block] = [view.getUint32(at + 4, true), view.getUint32(at + 8, true)];
    // A slot that is free.
    if (block === 0) continue;
    const blob = block * blockSize;
    if (view.getUint32(blob, true) !== blobMagic || view.getUint32(blob + 4, true) !== index)
      throw new RangeError("a slot leads to no blob");
    const length = view.getUint32(blob + 12, true);
    if (blob + blockSize + length > bytes.byteLength) throw new RangeError("a blob has no end");
    read += blockSize + length;
    if (read > bytes.byteLength) throw new RangeError("its blobs have more bytes than it");
    yield bytes.subarray(blob + blockSize, blob + blockSize + length);
  }
}
