import { objectsIn, type PushTimes, type PushTimesOptions, pages, pushed } from "./push-times.ts";

/** Versions that GitHub gives at once at the most. */
const size = 100;

export interface GitHubTimesOptions extends PushTimesOptions {
  /** A token with `read:packages`; GitHub tells nobody without one. */
  readonly token: string;
  /** Whose packages they are. Default `orgs`. */
  readonly owner?: "orgs" | "users" | undefined;
}

/**
 * Versions of a container package of GitHub, the newest first: each has a digest and its tags.
 * @see https://docs.github.com/en/rest/packages/packages
 */
export const githubTimes = ({ token, owner = "orgs", headers = [], ...options }: GitHubTimesOptions): PushTimes =>
  async function* ({ namespaceImage }, { signal } = {}) {
    const of: PushTimesOptions = {
      api: "https://api.github.com",
      ...options,
      headers: [["Authorization", `Bearer ${token}`], ...headers],
    };
    const [name = "", ...rest] = namespaceImage.split("/");
    const at = (page: number): string =>
      `/${owner}/${name}/packages/container/${encodeURIComponent(rest.join("/"))}/versions?per_page=${size}&page=${page}`;
    const next = (page: unknown, number: number): string | undefined =>
      objectsIn(page).length < size ? undefined : at(number + 1);
    for await (const page of pages<unknown>(of, at(1), next, signal))
      for (const { name: digest, created_at, metadata } of objectsIn(page)) {
        const { container } = (metadata ?? {}) as { readonly container?: { readonly tags?: unknown } };
        const tags = Array.isArray(container?.tags) ? (container.tags as unknown[]) : [];
        for (const tag of tags) {
          const found = pushed(tag, created_at, digest);
          if (found !== undefined) yield found;
        }
      }
  };
