/** What a sample layer holds. */
export interface TarEntry {
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink" | "hardlink" | "pipe";
  readonly bytes?: Uint8Array;
  readonly target?: string;
  readonly mode?: number;
}

const block = 512;
const kinds = { file: "0", hardlink: "1", directory: "5", symlink: "2", pipe: "6" } as const;

/** A tar of the entries in the ustar form, without times or owners: the same bytes for the same entries. */
export const tar = (entries: readonly TarEntry[]): Uint8Array => {
  const parts = entries.flatMap((entry) => {
    const bytes = entry.bytes ?? new Uint8Array(0);
    return [headerOf(entry, bytes.byteLength), bytes, new Uint8Array(-bytes.byteLength & (block - 1))];
  });
  return Buffer.concat([...parts, new Uint8Array(2 * block)]);
};

const headerOf = ({ path, kind, target = "", mode }: TarEntry, size: number): Uint8Array => {
  const header = Buffer.alloc(block);
  const octal = (value: number, at: number, width: number): void => {
    header.write(value.toString(8).padStart(width - 1, "0"), at, "latin1");
  };
  header.write(path, 0, 100, "utf8");
  octal(mode ?? (kind === "file" || kind === "hardlink" ? 0o644 : 0o755), 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  header.write("        ", 148, "latin1");
  header.write(kinds[kind], 156, "latin1");
  header.write(target, 157, 100, "utf8");
  header.write("ustar\u000000", 257, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
};
