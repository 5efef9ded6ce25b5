import { collect, connect, type Image, isDrayError, type Registry, staticCredential, viewOf } from "dray";
import { header } from "dray/http";

/** What a host rule says of a registry. */
export interface HostRule {
  readonly username?: string;
  readonly password?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly insecureRegistry?: boolean;
  readonly httpsCertificateAuthority?: string;
}

/** The host is at fault: nothing may be concluded about the package. */
export class ExternalHostError extends Error {}

/** Releases and digests of images, as an updater of dependencies looks them up. */
export class DockerLookup {
  readonly #registry: Registry;
  readonly #maxPages: number;

  constructor(host: string, rule: HostRule = {}, { maxPages = 20 }: { maxPages?: number } = {}) {
    const { username, password, headers, insecureRegistry, httpsCertificateAuthority } = rule;
    this.#maxPages = maxPages;
    this.#registry = connect(host, {
      ambient: false,
      userAgent: "renovate",
      headers,
      insecure: insecureRegistry,
      ca: httpsCertificateAuthority,
      credentials:
        username === undefined ? undefined : staticCredential({ username, password, source: "hostRules" }, host),
    });
  }

  /** The tags of some pages at most; Artifactory has official images below `library/`. */
  async getTags(name: string): Promise<string[] | null> {
    try {
      const tags: string[] = [];
      let pages = 0;
      for await (const page of this.#registry.repository(name).tags({ pageSize: 10_000 }).pages()) {
        tags.push(...page);
        if (++pages === this.#maxPages) break;
      }
      return tags;
    } catch (error) {
      const isArtifactory = isDrayError(error) && header(error.headers ?? [], "X-JFrog-Version") !== undefined;
      const [repository, image, ...more] = name.split("/");
      if (isArtifactory && image !== undefined && image !== "library" && more.length === 0)
        return this.getTags(`${repository}/library/${image}`);
      return nothing(error);
    }
  }

  /** One HEAD, since a GET counts as a pull; a GET only where the registry does not tell otherwise. */
  getDigest(name: string, tag: string): Promise<string | null> {
    return this.#registry.repository(name).digest(tag, { orRead: true }).catch(nothing);
  }

  /** The labels and annotations of an image, of the first where there are several. */
  async getLabels(name: string, tag: string): Promise<Readonly<Record<string, string>> | null> {
    const image = await this.#image(name, tag).catch(nothing);
    if (image === null) return null;
    const [{ annotations }, { config }] = [await image.manifest(), await image.config()];
    return { ...annotations, ...config?.Labels };
  }

  async getImageArchitecture(name: string, digest: string): Promise<string | null> {
    const image = await this.#image(name, digest).catch(nothing);
    return (await image?.config())?.architecture ?? null;
  }

  /** Quay lists by an API of its own, which takes the same credentials. */
  async getQuayTags(name: string): Promise<string[]> {
    const tags: string[] = [];
    for (let page = 1, more = true; more && page <= this.#maxPages; page++) {
      const { status, body } = await this.#registry.request({ target: `/api/v1/repository/${name}/tag/?page=${page}` });
      const text = new TextDecoder().decode(await collect(body.chunks, 10_000_000, "the page"));
      if (status !== 200) throw new ExternalHostError(`quay answers ${status}`);
      const found = JSON.parse(text) as { tags: { name: string }[]; has_additional: boolean };
      tags.push(...found.tags.map((tag) => tag.name));
      more = found.has_additional;
    }
    return tags;
  }

  async #image(name: string, tag: string): Promise<Image | null> {
    const store = this.#registry.repository(name);
    const { descriptor } = await store.manifest(tag);
    const view = await viewOf(store, descriptor);
    if (view.kind === "image") return view;
    const [first] = (await view.index()).manifests;
    return first === undefined ? null : this.#image(name, first.digest);
  }
}

/** What is not there, or not for us, is no fault; a registry that limits us or fails says nothing of the image. */
const nothing = (error: unknown): null => {
  if (!isDrayError(error)) throw error;
  if (error.code === "RATE_LIMITED" || (error.status ?? 0) >= 500) {
    const source = header(error.headers ?? [], "Docker-RateLimit-Source");
    throw new ExternalHostError(source === undefined ? error.message : `${error.message} (limited: ${source})`);
  }
  return null;
};
