/**
 * Many repositories at once: a walk over all below a path, what one registry has and another lacks, and what nobody needs any more.
 * Imports everything below, `copy/` among it; knows no command.
 */
export {
  type GarbageOptions,
  garbageIn,
  type RemoveGarbageOptions,
  type RepositoryGarbage,
  removeGarbage,
  type Unneeded,
  untaggedIn,
} from "./garbage.ts";
export { type NewsOptions, newsBetween } from "./news.ts";
export { type FoundRepository, walkRepositories } from "./walk.ts";
