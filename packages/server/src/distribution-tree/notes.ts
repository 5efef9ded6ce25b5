import type { Digest } from "dray/oci";
import type { Driver } from "../storage/index.ts";
import { isTypeText } from "./inspection.ts";
import { deletedTagPath, deletedTagsPath, linked, type TagLink, typePath, untaggedPath } from "./paths.ts";

/**
 * What a repository's `_meta` says beside what distribution has a place for: the type of a manifest whose bytes do not show it, what a
 * deleted tag stood for, since when a manifest is known to have no tag. Distribution passes over it.
 */
export class Notes {
  readonly #driver: Driver;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /** The type a manifest was pushed with, where its bytes do not show it. */
  async pushedType(repository: string, digest: Digest): Promise<string | undefined> {
    const bytes = await this.#driver.read(typePath(repository, digest));
    const text = bytes && new TextDecoder().decode(bytes).trim();
    return isTypeText(text) ? text : undefined;
  }

  keepPushedType(repository: string, digest: Digest, mediaType: string): Promise<void> {
    return this.#driver.write(typePath(repository, digest), new TextEncoder().encode(mediaType));
  }

  dropPushedType(repository: string, digest: Digest): Promise<void> {
    return this.#driver.remove(typePath(repository, digest));
  }

  /** Notes what a tag stood for that is about to go; its history goes with it. */
  noteDeletedTag(repository: string, tag: string, digest: Digest): Promise<void> {
    return this.#driver.write(deletedTagPath(repository, tag), new TextEncoder().encode(digest), { durable: false });
  }

  /** What a tag stood for that was deleted, and when that was. */
  async deletedTag(repository: string, tag: string): Promise<TagLink | undefined> {
    const version = await this.#driver.stat(deletedTagPath(repository, tag));
    const digest = linked(await this.#driver.read(deletedTagPath(repository, tag)));
    return version === undefined || digest === undefined ? undefined : { digest, version };
  }

  dropDeletedTag(repository: string, tag: string): Promise<void> {
    return this.#driver.remove(deletedTagPath(repository, tag));
  }

  /** Names of tags that were deleted and are noted. */
  async deletedTags(repository: string): Promise<string[]> {
    return (await this.#driver.list(deletedTagsPath(repository))) ?? [];
  }

  /** Notes that a manifest was seen without a tag. */
  noteUntagged(repository: string, digest: Digest): Promise<void> {
    return this.#driver.write(untaggedPath(repository, digest), new TextEncoder().encode(digest), { durable: false });
  }

  /** When that was noted; milliseconds since 1970. */
  async untaggedSince(repository: string, digest: Digest): Promise<number | undefined> {
    return (await this.#driver.stat(untaggedPath(repository, digest)))?.mtime;
  }

  dropUntagged(repository: string, digest: Digest): Promise<void> {
    return this.#driver.remove(untaggedPath(repository, digest), { durable: false });
  }
}
