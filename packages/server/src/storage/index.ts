/**
 * Where a registry's bytes lie: the driver's interface, the file system and memory behind it.
 * Imports the library; knows no path of the tree, no repository, no upload.
 */
export {
  type ChangeOptions,
  type Driver,
  type Facts,
  type FileVersion,
  isRacy,
  type MoveOptions,
  type StoredFile,
  sameVersion,
  type WriteOptions,
} from "./driver.ts";
export {
  allOf,
  type FilesystemDriver,
  type FilesystemDriverOptions,
  filesystemDriver,
} from "./filesystem-driver.ts";
export type { MemoryContent } from "./memory-content.ts";
export { type MemoryDriverOptions, type MemoryFiles, memoryDriver } from "./memory-driver.ts";
export { ownFolder } from "./own-folder.ts";
export { giveToFolder, makeForOwner } from "./ownership.ts";
export type { Volume } from "./volume.ts";
export { type LockVolume, lockVolume } from "./volume-lock.ts";
