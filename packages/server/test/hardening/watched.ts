import assert from "node:assert/strict";
import type { Driver } from "../../src/storage/driver.ts";

/** A driver that tells every path that it is asked for. */
export const watched = (driver: Driver, onPath: (path: string) => void): Driver => {
  const seen = (path: string): string => {
    onPath(path);
    return path;
  };
  return {
    read: (path) => driver.read(seen(path)),
    open: (path) => driver.open(seen(path)),
    stat: (path) => driver.stat(seen(path)),
    list: (path) => driver.list(seen(path)),
    write: (path, bytes, options) => driver.write(seen(path), bytes, options),
    makeDirectory: (path) => driver.makeDirectory(seen(path)),
    move: (from, to, options) => driver.move(seen(from), seen(to), options),
    remove: (path, options) => driver.remove(seen(path), options),
    removeEmpty: (path) => driver.removeEmpty(seen(path)),
    touch: (path, options) => driver.touch(seen(path), options),
    receive: (path, algorithm) => driver.receive(seen(path), algorithm),
    ...(driver.space === undefined ? {} : { space: driver.space.bind(driver) }),
    close: () => driver.close(),
  };
};

const name = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const digest = "sha(?:256/[0-9a-f]{64}|512/[0-9a-f]{128})";
const inRepository = [
  `_layers(?:/sha256|/sha512|/${digest}(?:/link)?)?`,
  `_manifests(?:/revisions(?:/sha256|/sha512|/${digest}(?:/link)?)?)?`,
  `_manifests/tags(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(?:/current/link|/index(?:/sha256|/sha512|/${digest}/link)?)?)?`,
  `_uploads(?:/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:/(?:data|startedat|session\\.json))?)?`,
  `_meta/(?:types|untagged)/${digest}`,
  "_meta/deleted-tags(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?",
].join("|");
const inTree = new RegExp(
  `^docker/registry/v2/(?:blobs(?:/sha(?:256/[0-9a-f]{2}/[0-9a-f]{64}|512/[0-9a-f]{2}/[0-9a-f]{128})(?:/data)?)?|repositories(?:/${name})*(?:/(?:${inRepository}))?)$`,
);

/** Ours, beside the tree: what is known to be damaged. */
const beside = new RegExp(`^dray/damaged/(?:sha256|sha512|${digest})$`);

/** A path of the tree, spelled out from distribution's layout and not from the code that makes it. */
export const checkTreePath = (path: string, what: string): void => {
  if (!beside.test(path)) assert.match(path, inTree, `${what} touched a path that is none of the tree`);
};
