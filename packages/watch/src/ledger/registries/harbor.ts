import { objectsIn, type PushTimes, type PushTimesOptions, pages, pushed } from "./push-times.ts";

/** How many artifacts Harbor gives at once at the most. */
const size = 100;

/**
 * Harbor's artifacts with their tags, the newest first. The part of the name up to the first slash is the project.
 * @see https://goharbor.io/docs/main/build-customize-contribute/configure-swagger/
 */
export const harborTimes = (options: PushTimesOptions = {}): PushTimes =>
  async function* ({ host, namespaceImage }, { signal } = {}) {
    const of = { api: `https://${host}`, ...options };
    const [project = "", ...rest] = namespaceImage.split("/");
    // Slashes of a repository's name are encoded twice there.
    const repository = encodeURIComponent(encodeURIComponent(rest.join("/")));
    const at = (page: number): string =>
      `/api/v2.0/projects/${project}/repositories/${repository}/artifacts?with_tag=true&page_size=${size}&page=${page}&sort=-push_time`;
    const next = (page: unknown, number: number): string | undefined =>
      objectsIn(page).length < size ? undefined : at(number + 1);
    for await (const page of pages<unknown>(of, at(1), next, signal))
      for (const { digest, push_time, tags } of objectsIn(page))
        for (const { name, push_time: ofTag } of objectsIn(tags)) {
          const found = pushed(name, ofTag ?? push_time, digest);
          if (found !== undefined) yield found;
        }
  };
