/** Bytes of the footer. */
export const footerSize = 51;

/** Bytes of the footer of stargz, which came before eStargz and wrote its extra field without a header. */
export const oldFooterSize = 47;

const empty = [1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0] as const;

/**
 * The end of an eStargz blob: an empty gzip member whose extra field says where the table of contents begins.
 * @see https://github.com/containerd/stargz-snapshotter/blob/main/docs/estargz.md#footer
 */
export const footerFor = (tocOffset: number): Uint8Array => {
  const said = Buffer.from(`${tocOffset.toString(16).padStart(16, "0")}STARGZ`, "latin1");
  const head = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, said.length + 4, 0, 0x53, 0x47, said.length, 0];
  return Uint8Array.from([...head, ...said, ...empty]);
};

/** Where the table of contents begins, by the last bytes of a blob; `undefined` where they are no footer. */
export const parseFooter = (end: Uint8Array): { readonly tocOffset: number; readonly size: number } | undefined => {
  const text = Buffer.from(end.buffer, end.byteOffset, end.byteLength).toString("latin1");
  const found =
    /\x1f\x8b\x08\x04.{6}\x1a\x00SG\x16\x00([0-9a-f]{16})STARGZ.{13}$/s.exec(text) ??
    /\x1f\x8b\x08\x04.{6}\x16\x00([0-9a-f]{16})STARGZ.{13}$/s.exec(text);
  if (found === null) return undefined;
  const tocOffset = Number.parseInt(found[1] as string, 16);
  return Number.isSafeInteger(tocOffset) ? { tocOffset, size: found[0].length } : undefined;
};
