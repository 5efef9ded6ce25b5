import { sortedInTurns, Yielding } from "dray/internal/async";
import { type Digest, type DigestAlgorithm, isDigest } from "dray/oci";
import type { ChangeOptions, Driver, Facts, FileVersion, MoveOptions, StoredFile } from "../storage/index.ts";
import { EmptiedRepositories } from "./emptied-repositories.ts";
import { Notes } from "./notes.ts";
import {
  blobFolder,
  blobPath,
  blobsRoot,
  currentLink,
  databaseLock,
  historyLink,
  historyPath,
  layerFolder,
  layersPath,
  linked,
  repositoryPath,
  revisionFolder,
  revisionsPath,
  type TagLink,
  tagFolder,
  tagsPath,
} from "./paths.ts";
import { type RepositoryFolder, type WalkOptions, walk } from "./walk.ts";

/**
 * The distribution tree over a driver: which blobs exist, which repository sees which, what tags stand for. It is the truth;
 * whatever else remembers these things is derived from it. Writes come in the order that survives a crash: the caller puts
 * data before links, and links before tags.
 */
export class Tree {
  /** What distribution has no place for. */
  readonly notes: Notes;
  /** Repositories of which nothing is left. */
  readonly emptied: EmptiedRepositories;
  readonly #driver: Driver;
  readonly #followers = new Set<Set<Digest>>();
  #onForeign: (path: string) => void = () => {};

  constructor(driver: Driver) {
    this.#driver = driver;
    this.notes = new Notes(driver);
    this.emptied = new EmptiedRepositories(driver);
  }

  // Blobs: one pool for all repositories.

  /** Bytes of a blob, or `undefined`. */
  async blobSize(digest: Digest): Promise<number | undefined> {
    const facts = await this.blobFacts(digest);
    return facts === undefined || facts.directory ? undefined : facts.size;
  }

  /** What lies where a blob's data belongs; its time is when it was last written or wanted. */
  blobFacts(digest: Digest): Promise<Facts | undefined> {
    return this.#driver.stat(blobPath(digest));
  }

  openBlob(digest: Digest): Promise<StoredFile | undefined> {
    return this.#driver.open(blobPath(digest));
  }

  /** A blob whole, for manifests. The caller checks its size before and its digest after. */
  readBlob(digest: Digest): Promise<Uint8Array | undefined> {
    return this.#driver.read(blobPath(digest));
  }

  /** Puts small content into the pool. The caller has checked the digest. */
  writeBlob(digest: Digest, bytes: Uint8Array): Promise<void> {
    return this.#driver.write(blobPath(digest), bytes);
  }

  /** Moves a finished file into the pool. */
  adoptBlob(digest: Digest, from: string, options?: MoveOptions): Promise<void> {
    return this.#driver.move(from, blobPath(digest), options);
  }

  touchBlob(digest: Digest, options?: ChangeOptions): Promise<void> {
    return this.#driver.touch(blobPath(digest), options);
  }

  removeBlob(digest: Digest, options?: ChangeOptions): Promise<void> {
    return this.#driver.remove(blobFolder(digest), options);
  }

  /**
   * Every digest in the pool, folder by folder in order. `after` goes on behind one.
   * @param onBroken hears of folders that cannot be listed, which are passed over then; without it the list ends there
   */
  async *blobs(after?: Digest, onBroken?: (error: unknown) => void): AsyncGenerator<Digest> {
    const names = (path: string): Promise<string[]> =>
      onBroken === undefined
        ? this.#names(path)
        : this.#names(path).catch((error: unknown) => {
            onBroken(error);
            return [];
          });
    for (const algorithm of await names(blobsRoot)) {
      if (algorithm !== "sha256" && algorithm !== "sha512") this.#onForeign(`${blobsRoot}/${algorithm}`);
      else
        for (const two of await names(`${blobsRoot}/${algorithm}`)) {
          if (!/^[0-9a-f]{2}$/.test(two)) this.#onForeign(`${blobsRoot}/${algorithm}/${two}`);
          else
            for (const hex of await names(`${blobsRoot}/${algorithm}/${two}`)) {
              const digest = `${algorithm}:${hex}`;
              if (!isDigest(digest)) this.#onForeign(`${blobsRoot}/${algorithm}/${two}/${hex}`);
              else if (after === undefined || digest > after) yield digest;
            }
        }
    }
  }

  /** Hears of each thing that lies in a list of digests and is none, until it is called off: it is somebody else's and stays. */
  watchForeign(onForeign: (path: string) => void): { stop(): void } {
    this.#onForeign = onForeign;
    return {
      stop: () => {
        this.#onForeign = () => {};
      },
    };
  }

  // What a repository sees.

  /** The blob that a repository's digest stands for: itself, or another that distribution made it an alias of. */
  async layer(repository: string, digest: Digest): Promise<Digest | undefined> {
    return linked(await this.#driver.read(`${layerFolder(repository, digest)}/link`));
  }

  /** @param stored the link comes when this resolves, and not if it rejects */
  linkLayer(repository: string, digest: Digest, stored?: Promise<unknown>): Promise<void> {
    for (const linked of this.#followers) linked.add(digest);
    return this.#linkOnce(`${layerFolder(repository, digest)}/link`, digest, stored);
  }

  /** Says that a repository's blob is wanted: its link and its data. */
  async touchLayer(repository: string, digest: Digest): Promise<void> {
    await this.#driver.touch(`${layerFolder(repository, digest)}/link`);
    await this.touchBlob(digest);
  }

  /** Sets the time of a link and of the data that it stands for, as if it had just been written; brings nothing to the disk. */
  async renewLayer(repository: string, digest: Digest): Promise<void> {
    const target = digest.startsWith("sha256:") ? digest : await this.layer(repository, digest);
    await this.#driver.touch(`${layerFolder(repository, digest)}/link`, { durable: false });
    await this.touchBlob(target ?? digest, { durable: false });
  }

  /** The same for a manifest. */
  async renewRevision(repository: string, digest: Digest): Promise<void> {
    const target = digest.startsWith("sha256:") ? digest : await this.revisionTarget(repository, digest);
    await this.#driver.touch(`${revisionFolder(repository, digest)}/link`, { durable: false });
    await this.touchBlob(target ?? digest, { durable: false });
  }

  /** Blobs that this process links anywhere from now on, until `stop`: who looked at links before that does not know of them. */
  followLinks(): { readonly linked: ReadonlySet<Digest>; stop(): void } {
    const linked = new Set<Digest>();
    this.#followers.add(linked);
    return { linked, stop: () => void this.#followers.delete(linked) };
  }

  layerVersion(repository: string, digest: Digest): Promise<FileVersion | undefined> {
    return this.#driver.stat(`${layerFolder(repository, digest)}/link`);
  }

  /** When a layer was linked; milliseconds since 1970. */
  async layerTime(repository: string, digest: Digest): Promise<number | undefined> {
    return (await this.layerVersion(repository, digest))?.mtime;
  }

  unlinkLayer(repository: string, digest: Digest): Promise<void> {
    return this.#driver.remove(layerFolder(repository, digest));
  }

  /** Digests that have a folder in `_layers`; whether its link stands is another question. */
  layers(repository: string): AsyncGenerator<Digest> {
    return this.#digests(layersPath(repository));
  }

  /**
   * Makes the folder by which distribution knows a repository, for it may have manifests and no blob: garbage collection of 2.x takes the
   * manifests where there is none, and that of 3.x ends in an error.
   */
  async makeLayersFolder(repository: string): Promise<void> {
    if ((await this.#driver.stat(layersPath(repository))) === undefined)
      await this.#driver.makeDirectory(layersPath(repository));
  }

  revision(repository: string, digest: Digest): Promise<FileVersion | undefined> {
    return this.#driver.stat(`${revisionFolder(repository, digest)}/link`);
  }

  /** The content that a revision stands for: itself, or what an alias names. A torn link is none. */
  async revisionTarget(repository: string, digest: Digest): Promise<Digest | undefined> {
    return linked(await this.#driver.read(`${revisionFolder(repository, digest)}/link`));
  }

  async linkRevision(repository: string, digest: Digest): Promise<void> {
    await this.makeLayersFolder(repository);
    return this.#linkOnce(`${revisionFolder(repository, digest)}/link`, digest);
  }

  /** As distribution does it: the folder stays behind, empty, unless it is to go as well. */
  unlinkRevision(
    repository: string,
    digest: Digest,
    { folder = false }: { readonly folder?: boolean } = {},
  ): Promise<void> {
    return this.#driver.remove(
      folder ? revisionFolder(repository, digest) : `${revisionFolder(repository, digest)}/link`,
    );
  }

  /** Hex digits of one algorithm that have a folder among the revisions, in no order, and whatever else lies there. */
  async revisionFolders(repository: string, algorithm: DigestAlgorithm): Promise<string[]> {
    return (await this.#driver.list(`${revisionsPath(repository)}/${algorithm}`)) ?? [];
  }

  /** Digests that have a folder among the revisions; an empty one is a manifest that was deleted. */
  revisions(repository: string): AsyncGenerator<Digest> {
    return this.#digests(revisionsPath(repository));
  }

  // Tags.

  async tag(repository: string, tag: string): Promise<TagLink | undefined> {
    // Looked at before it is read: a change in between is then seen at the next look.
    const version = await this.tagVersion(repository, tag);
    if (version === undefined) return undefined;
    const digest = linked(await this.#driver.read(currentLink(repository, tag)));
    return digest === undefined ? undefined : { digest, version };
  }

  tagVersion(repository: string, tag: string): Promise<FileVersion | undefined> {
    return this.#driver.stat(currentLink(repository, tag));
  }

  /** The history first: distribution follows it when it deletes. */
  async setTag(repository: string, tag: string, digest: Digest): Promise<void> {
    await this.#link(historyLink(repository, tag, digest), digest);
    await this.#link(currentLink(repository, tag), digest);
  }

  removeTag(repository: string, tag: string): Promise<void> {
    return this.#driver.remove(tagFolder(repository, tag));
  }

  /** Digests that a tag stands for or ever stood for, as its history has them. */
  tagHistory(repository: string, tag: string): AsyncGenerator<Digest> {
    return this.#digests(historyPath(repository, tag));
  }

  /** When a tag was last set to a digest, as its history has it; milliseconds since 1970. */
  async tagSetAt(repository: string, tag: string, digest: Digest): Promise<number | undefined> {
    return (await this.#driver.stat(historyLink(repository, tag, digest)))?.mtime;
  }

  /** What lies in `tags/`, in no order. What is no tag's name, or has no current link, is none of them once it is looked at. */
  async tagFolders(repository: string): Promise<string[]> {
    return (await this.#driver.list(tagsPath(repository))) ?? [];
  }

  /** The state of the directory that changes when a tag comes or goes. */
  tagsVersion(repository: string): Promise<FileVersion | undefined> {
    return this.#driver.stat(tagsPath(repository));
  }

  /** The state of the directory that changes when a blob comes to a repository or goes. */
  layersVersion(repository: string, algorithm: DigestAlgorithm): Promise<FileVersion | undefined> {
    return this.#driver.stat(`${layersPath(repository)}/${algorithm}`);
  }

  /** The state of the directory that changes when a manifest of a new digest comes. */
  revisionsVersion(repository: string, algorithm: DigestAlgorithm): Promise<FileVersion | undefined> {
    return this.#driver.stat(`${revisionsPath(repository)}/${algorithm}`);
  }

  // Repositories.

  /** Call it before anything follows from something not being there. @throws DrayError `DISK` where the volume itself is not there */
  async refuseGone(): Promise<void> {
    await this.#driver.refuseGone?.();
  }

  /** @throws DrayError where that is so, or nothing is at a path because a link on the way leads nowhere: what it led to may be needed */
  async refuseBrokenLink(path: string): Promise<void> {
    await this.#driver.refuseBrokenLink?.(path);
  }

  /** Call it before anybody hears that a repository has not what he wants. @throws DrayError where the repository lies behind a link that leads nowhere */
  refuseHidden(repository: string): Promise<void> {
    return this.refuseBrokenLink(`${repositoryPath(repository)}/_manifests`);
  }

  /** Whether GitLab's registry says that it keeps the links of this volume in a database. */
  async hasDatabase(): Promise<boolean> {
    return (await this.#driver.stat(databaseLock)) !== undefined;
  }

  /** A repository is what has manifests, or had some. */
  async isRepository(repository: string): Promise<boolean> {
    return (await this.#driver.stat(`${repositoryPath(repository)}/_manifests`))?.directory === true;
  }

  /** Every repository behind `after`, in byte order of the whole name. */
  async *repositories(after = "", onBroken?: WalkOptions["onBroken"]): AsyncGenerator<string> {
    for await (const { repository, manifests } of this.walk({ after, onBroken })) if (manifests) yield repository;
  }

  /** Every folder below `repositories/`, also those that are no repositories yet, in byte order of the whole name. */
  walk(options?: WalkOptions): AsyncGenerator<RepositoryFolder> {
    const listed = async (path: string): Promise<readonly string[] | undefined> => {
      const names = await this.#driver.list(path);
      if ((names ?? []).length === 0 && options?.strict === true) await this.refuseBrokenLink(path);
      return names;
    };
    return walk(listed, options);
  }

  /** Takes away a folder of a link or a blob whose file is gone, as whoever is cut off leaves it. The caller holds its digest exclusively. */
  async tidyFolder(folder: string, isOld: (mtime: number) => boolean): Promise<void> {
    if (await this.isOldFolder(folder, isOld)) await this.removeFolder(folder);
  }

  async isOldFolder(folder: string, isOld: (mtime: number) => boolean): Promise<boolean> {
    const facts = await this.#driver.stat(folder);
    return facts?.directory === true && isOld(facts.mtime);
  }

  removeFolder(folder: string): Promise<void> {
    return this.#driver.remove(folder);
  }

  /** Bytes free and in all, where the store has a limit. */
  async space(): Promise<{ readonly free: number; readonly total: number } | undefined> {
    return this.#driver.space?.();
  }

  async #link(path: string, digest: Digest, after?: Promise<unknown>): Promise<void> {
    await this.#driver.write(path, new TextEncoder().encode(digest), { after });
  }

  /** One that says so already stays, and lasts as well. */
  async #linkOnce(path: string, digest: Digest, after?: Promise<unknown>): Promise<void> {
    if (linked(await this.#driver.read(path)) !== digest) return this.#link(path, digest, after);
    await after;
    await this.#driver.touch(path);
  }

  async *#digests(path: string): AsyncGenerator<Digest> {
    for (const algorithm of await this.#names(path))
      for (const hex of await this.#names(`${path}/${algorithm}`)) {
        const digest = `${algorithm}:${hex}`;
        if (isDigest(digest)) yield digest;
        else this.#onForeign(`${path}/${algorithm}/${hex}`);
      }
  }

  async #names(path: string): Promise<string[]> {
    return sortedInTurns((await this.#driver.list(path)) ?? [], new Yielding());
  }
}
