import { objectsIn, type PushTimes, type PushTimesOptions, pages, pushed } from "./push-times.ts";

/**
 * Quay's list of tags that are there, the newest first.
 * @see https://docs.redhat.com/en/documentation/red_hat_quay/3/html/red_hat_quay_api_reference/tag
 */
export const quayTimes = (options: PushTimesOptions = {}): PushTimes =>
  async function* ({ host, namespaceImage }, { signal } = {}) {
    const of = { api: `https://${host}`, ...options };
    const at = (page: number): string =>
      `/api/v1/repository/${namespaceImage}/tag/?limit=100&onlyActiveTags=true&page=${page}`;
    const next = (page: Page, number: number): string | undefined =>
      page?.has_additional === true ? at(number + 1) : undefined;
    for await (const page of pages<Page>(of, at(1), next, signal))
      for (const { name, start_ts, last_modified, manifest_digest } of objectsIn(page?.tags)) {
        const found = pushed(name, typeof start_ts === "number" ? start_ts * 1000 : last_modified, manifest_digest);
        if (found !== undefined) yield found;
      }
  };

type Page = { readonly has_additional?: boolean; readonly tags?: unknown } | null;
