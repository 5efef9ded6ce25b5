/**
 * Commands on many repositories at once, as gcrane has them: words and lines over `dray/repositories`.
 * Imports what every command begins with; knows no command.
 */
export { copyBelow } from "./copy.ts";
export { type ListRepositoriesOptions, listRepositories } from "./list.ts";
export { type Ended, onOne, placeIn, repositoriesAt, tellBroken, type Where } from "./place.ts";
