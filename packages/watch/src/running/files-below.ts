import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseEnv } from "node:util";
import { type FileReferences, findReferences } from "@dray/references";
import { DrayError, throwIfAborted } from "dray/errors";
import { diskError } from "dray/internal/files";

/** What is known beside the files. */
export interface FilesBelowOptions {
  readonly signal?: AbortSignal | undefined;
  /** Variables of compose files; those of an `.env` beside a file come after them. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** Folders that hold what others wrote. */
const passedOver = new Set([".git", ".hg", ".svn", "node_modules", "vendor", ".venv", "venv", "dist", "target"]);
const mayHave =
  /\.(?:ya?ml|json|container|volume|image|dockerfile|containerfile)$|^(?:Dockerfile|Containerfile)(?:[.-].*)?$|^[Kk]ustomization$|^images\.(?:txt|list)$/i;
/** Bytes; nobody writes a larger one. */
const largest = 4 * 1024 * 1024;

/**
 * What files name: each path is a file, or a folder, of which all files below are looked at that may have references of images. Of those found in a folder
 * only the ones that have some, or something wrong with an image, come out. Links are not followed; what others wrote (`node_modules`, `vendor`) is passed over.
 * @throws DrayError `NOT_FOUND`, `DISK` for a path that is named and cannot be read
 * @example for await (const { name, references } of filesBelow(["."])) console.log(name, references.length);
 */
export const filesBelow = async function* (
  paths: readonly string[],
  { signal, variables = {} }: FilesBelowOptions = {},
): AsyncGenerator<FileReferences> {
  const envs = new Map<string, Promise<Readonly<Record<string, string>>>>();
  const found = async (path: string, bytes: Uint8Array): Promise<FileReferences> => {
    const file = findReferences(path, bytes);
    if (file.kind !== "compose") return file;
    const folder = dirname(path);
    const beside = envs.get(folder) ?? envOf(folder);
    envs.set(folder, beside);
    return findReferences(path, bytes, { variables: { ...(await beside), ...variables } });
  };
  for (const path of paths) {
    throwIfAborted(signal);
    const isFolder = await named(path, async () => (await stat(path)).isDirectory());
    if (!isFolder) {
      yield await found(path, await named(path, () => readFile(path)));
      continue;
    }
    for await (const file of below(path, signal)) {
      const bytes = await readFile(file).catch(() => undefined);
      if (bytes === undefined) continue;
      const { kind, references, faults, name } = await found(file, bytes);
      // Any other YAML may be broken as it likes.
      const isOurs = kind !== undefined || /image/i.test(Buffer.from(bytes).toString("latin1"));
      if (references.length > 0 || (faults.length > 0 && isOurs))
        yield kind === undefined ? { name, references, faults } : { name, kind, references, faults };
    }
  }
};

const named = async <T>(path: string, read: () => Promise<T>): Promise<T> => {
  try {
    return await read();
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT")
      throw new DrayError("NOT_FOUND", `${path}: there is no such file or folder`, { reference: path, cause: error });
    throw diskError(error, "read", path);
  }
};

const below = async function* (folder: string, signal: AbortSignal | undefined): AsyncGenerator<string> {
  throwIfAborted(signal);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!passedOver.has(entry.name)) yield* below(path, signal);
    } else if (entry.isFile() && mayHave.test(entry.name)) {
      const { size } = await stat(path).catch(() => ({ size: largest + 1 }));
      if (size <= largest) yield path;
    }
  }
};

/** As compose reads it. */
const envOf = async (folder: string): Promise<Readonly<Record<string, string>>> => {
  const text = await readFile(join(folder, ".env"), "utf8").catch(() => "");
  return Object.fromEntries(
    Object.entries(parseEnv(text)).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
};
