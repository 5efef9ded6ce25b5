import { objectsIn, type PushTimes, type PushTimesOptions, pages, pushed } from "./push-times.ts";

/**
 * Docker Hub's own list of tags, by which a hundred times cost one request that counts as no pull.
 * @see https://docs.docker.com/reference/api/hub/latest/#tag/repositories
 */
export const dockerHubTimes = (options: PushTimesOptions = {}): PushTimes =>
  async function* ({ namespaceImage }, { signal } = {}) {
    const of = { api: "https://hub.docker.com", ...options };
    const first = `/v2/repositories/${namespaceImage}/tags?page_size=100&ordering=last_updated`;
    const next = (page: Page): string | undefined => (typeof page?.next === "string" ? page.next : undefined);
    for await (const page of pages<Page>(of, first, next, signal))
      for (const { name, tag_last_pushed, last_updated, digest } of objectsIn(page?.results)) {
        const found = pushed(name, tag_last_pushed ?? last_updated, digest);
        if (found !== undefined) yield found;
      }
  };

type Page = { readonly next?: unknown; readonly results?: unknown } | null;
