/** Bytes of the footer. */
export const footerSize = 51;

const [head, extra, empty] = [
  [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff],
  [26, 0, 0x53, 0x47, 22, 0],
  [1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0],
] as const;

/**
 * The end of an eStargz blob: an empty gzip member whose extra field says where the table of contents begins.
 * @see https://github.com/containerd/stargz-snapshotter/blob/main/docs/estargz.md#footer
 */
export const footerFor = (tocOffset: number): Uint8Array => {
  const said = Buffer.from(`${tocOffset.toString(16).padStart(16, "0")}STARGZ`, "latin1");
  return Uint8Array.from([...head, ...extra, ...said, ...empty]);
};

/** Where the table of contents begins, by the last bytes of a blob; `undefined` where they are no footer. */
export const parseFooter = (footer: Uint8Array): number | undefined => {
  const text = Buffer.from(footer.buffer, footer.byteOffset, footer.byteLength).toString("latin1");
  // What a writer puts into the rest of its gzip header is its own.
  const found = /^\x1f\x8b\x08\x04.{6}\x1a\0SG\x16\0([0-9a-f]{16})STARGZ.{13}$/s.exec(text);
  const tocOffset = Number.parseInt(found?.[1] ?? "", 16);
  return Number.isSafeInteger(tocOffset) ? tocOffset : undefined;
};
