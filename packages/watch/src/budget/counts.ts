/** What of a request its registry's limit counts. */
interface Asked {
  readonly method: string;
  readonly target: string;
}

/**
 * Whether a request costs a piece of its registry's limit. Docker Hub counts manifests that are read: HEAD and lists are free, and say what is left. Of
 * others nobody knows, so each request of theirs costs one.
 * @see https://docs.docker.com/docker-hub/usage/pulls/
 */
export const countsOf =
  (registry: string): ((asked: Asked) => boolean) =>
  ({ method, target }) =>
    registry !== "docker.io" || (method === "GET" && target.includes("/manifests/"));
