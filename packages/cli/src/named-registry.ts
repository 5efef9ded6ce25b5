/** The host that words name, where they name a registry alone: `localhost:5000`, `registry.example.com/`. No file looks so with a slash behind it. */
export const registryIn = (text: string): string | undefined =>
  /^(?:docker:\/\/)?((?:localhost|[^/@:.][^/@:]*\.[^/@:]*|\[[0-9a-fA-F:.]+\])(?::\d+)?|[^/@:.][^/@:]*:\d+(?=\/))\/?$/.exec(
    text,
  )?.[1];

/** What whoever names one where a repository belongs may want. */
export const itsRepositories = (host: string): string =>
  `; the repositories of a registry are listed by dray catalog ${host}`;
