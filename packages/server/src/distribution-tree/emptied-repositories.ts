import type { Driver } from "../storage/index.ts";
import { repositoriesRoot, repositoryPath } from "./paths.ts";

/** What a repository keeps in its folder. The one that makes it a repository goes last. */
const ownFolders = ["_meta", "_uploads", "_layers", "_manifests"] as const;

/** Repositories of which nothing is left but their folders. */
export class EmptiedRepositories {
  readonly #driver: Driver;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /**
   * Since when a repository has had nothing: no link, no tag, no upload, no note of what was deleted. `undefined`: it has something, if only
   * a file of somebody else's.
   */
  async since(repository: string): Promise<number | undefined> {
    let since = 0;
    for (const waiting = [...ownFolders].map((name) => `${repositoryPath(repository)}/${name}`); ; ) {
      const folder = waiting.pop();
      if (folder === undefined) {
        if (since === 0) await this.#driver.refuseGone?.();
        return since;
      }
      const facts = await this.#driver.stat(folder);
      if (facts === undefined) continue;
      if (!facts.directory) return undefined;
      since = Math.max(since, facts.mtime);
      const names = (await this.#driver.list(folder)) ?? [];
      // A session that just begins has no file yet.
      if (folder.endsWith("/_uploads") && names.length > 0) return undefined;
      for (const name of names) waiting.push(`${folder}/${name}`);
    }
  }

  /** Takes away a repository that has nothing; what lies below it by name stays. Tells whether it is gone. */
  async remove(repository: string): Promise<boolean> {
    for (const name of ownFolders)
      if (!(await this.#driver.removeEmpty(`${repositoryPath(repository)}/${name}`))) return false;
    for (let path = repositoryPath(repository); path !== repositoriesRoot; path = path.slice(0, path.lastIndexOf("/")))
      if ((await this.#driver.list(path))?.length !== 0 || !(await this.#driver.removeEmpty(path))) break;
    return true;
  }
}
