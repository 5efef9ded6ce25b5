/**
 * Which newer image exists, for thousands of repositories, within what their registries allow. Stands on `dray`; knows no command and no
 * terminal.
 */
export * from "./events/index.ts";
export { imageOf, parseRepository, type Repository, repositoryFromImage } from "./repository.ts";
