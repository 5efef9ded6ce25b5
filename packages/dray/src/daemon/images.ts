import type { Credential } from "../auth/index.ts";
import type { Body, Content } from "../content/index.ts";
import { defined } from "../defined.ts";
import { DrayError, isDrayError, restated } from "../errors.ts";
import { type Digest, isDigest, isObject, type Platform, parseReference } from "../oci/index.ts";
import type { EngineApi } from "./api.ts";
import { engineName, isImageId, nameAndTag, nameInPath } from "./engine-name.ts";
import { isText } from "./fields.ts";
import { type EngineMessage, engineMessages } from "./messages.ts";

/** An image as an engine lists it. */
export interface EngineImageEntry {
  /** Digest of its configuration; of an engine that keeps images as OCI that of its manifest or index. */
  readonly id: string;
  /** `app:1`, `quay.io/team/app:2`; none where it is an intermediate one. */
  readonly names: readonly string[];
  /** Under which digests registries have it: `quay.io/team/app@sha256:…`. */
  readonly digests: readonly string[];
  /** Of its manifest or index, where the engine says it without a registry: podman, and those that keep images as OCI. */
  readonly digest?: Digest;
  /** Bytes on the engine's disk. */
  readonly size: number;
  readonly created: Date | undefined;
}

/** An image as an engine describes it. */
export interface EngineImage extends EngineImageEntry {
  readonly platform: Platform;
  /** What containers of it begin with, as the engine says it. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** How an engine is asked for something that takes a while. */
export interface EngineCall {
  readonly signal?: AbortSignal | undefined;
  /** Hears what the engine says on the way. */
  readonly onMessage?: ((message: EngineMessage) => void) | undefined;
}

/** How an engine moves an image by itself. */
export interface EngineTransfer extends EngineCall {
  /** For the registry. The engine gets it for this one time and keeps nothing. Default: anonymous. */
  readonly credentials?: Credential | undefined;
  /** Podman alone, before version 5 for a push alone: the registry's certificate is not looked at, and it may speak plain http. Docker has a setting of its own for that. Default `false`. */
  readonly skipTlsVerify?: boolean | undefined;
}

/** What the engine has pushed. */
export interface EnginePush {
  /** Digest of the manifest; `undefined` where the engine does not say. */
  readonly digest: Digest | undefined;
}

/** The part of an engine that is about images. */
export interface EngineImages {
  /** All that have a name. */
  list(options?: EngineCall): Promise<EngineImageEntry[]>;
  /** @throws DrayError `NOT_FOUND` */
  inspect(name: string, options?: EngineCall): Promise<EngineImage>;
  /** Gives an image another name. */
  tag(name: string, other: string, options?: EngineCall): Promise<void>;
  /**
   * Takes a name away. An image without any name left goes, unless a container is made of it.
   * @throws DrayError `USAGE` for an ID, `NOT_FOUND`
   */
  untag(name: string, options?: EngineCall): Promise<void>;
  /**
   * Removes a name, or by ID the image.
   * @throws DrayError `NOT_FOUND`, `CONFLICT` while a container needs it
   */
  remove(name: string, options?: EngineCall & { readonly force?: boolean | undefined }): Promise<void>;
  /** Has the engine fetch an image from its registry, and tells what it has then. */
  pull(name: string, options?: EngineTransfer & { readonly platform?: string | undefined }): Promise<EngineImage>;
  /**
   * Has the engine push an image that has this name to the registry in it. What the engine or the registry refuses in the midst is an error.
   * @throws DrayError `ENGINE`, `NOT_FOUND`, `USAGE` for a digest
   */
  push(name: string, options?: EngineTransfer): Promise<EnginePush>;
  /** A tar of one or several images, as `docker save` gives it, as it comes. */
  save(names: readonly string[], options?: EngineCall): Promise<Body>;
  /**
   * Gives the engine such a tar, and tells what it says that it has loaded. A tar that breaks off leaves nothing behind.
   * @throws DrayError `ENGINE`
   */
  load(tar: Content, options?: EngineCall): Promise<string[]>;
}

/** Images, by the API of an engine. */
export const engineImages = (api: EngineApi): EngineImages => {
  const inspect: EngineImages["inspect"] = async (name, { signal } = {}) => {
    const known = engineName(name);
    const path = `/images/${nameInPath(known)}/json`;
    try {
      return imageOf(await api.json({ method: "GET", path, doing: `inspect ${known}`, signal }));
    } catch (error) {
      if (!isDrayError(error, "NOT_FOUND")) throw error;
      throw restated(error, "NOT_FOUND", error.message, { reference: known, remedy: "pull-image" });
    }
  };
  const remove: EngineImages["remove"] = async (name, { force = false, signal } = {}) => {
    const known = engineName(name);
    const query = force ? ([["force", "1"]] as const) : [];
    await api.done({ method: "DELETE", path: `/images/${nameInPath(known)}`, query, doing: `remove ${known}`, signal });
  };
  return {
    list: async ({ signal } = {}) => {
      const found = await api.json({ method: "GET", path: "/images/json", doing: "list images", signal });
      return Array.isArray(found) ? found.filter(isObject).map(entryOf) : [];
    },
    inspect,
    tag: async (name, other, { signal } = {}) => {
      const known = engineName(name);
      const { repository, tag } = tagOf(other);
      const query = [
        ["repo", repository],
        ["tag", tag],
      ] as const;
      await api.done({
        method: "POST",
        path: `/images/${nameInPath(known)}/tag`,
        query,
        doing: `tag ${known}`,
        signal,
      });
    },
    untag: async (name, options = {}) => {
      if (isImageId(name)) throw new DrayError("USAGE", `"${name}" is the ID of an image and no name of one`);
      return remove(name, options);
    },
    remove,
    pull: async (name, { platform, credentials, skipTlsVerify, signal, onMessage } = {}) => {
      const reference = parseReference(name);
      const { repository, tag } = nameAndTag(reference);
      const query: [string, string][] = [
        ["fromImage", repository],
        ["tag", tag],
      ];
      if (platform !== undefined) query.push(["platform", platform]);
      const headers = registryAuth(credentials, reference.registry);
      const doing = `pull ${name}`;
      const { body } = await api.send({
        method: "POST",
        path: "/images/create",
        query: withTls(query, skipTlsVerify),
        headers,
        doing,
        signal,
        long: true,
      });
      for await (const message of engineMessages(body.chunks, doing)) onMessage?.(message);
      return inspect(name, { signal });
    },
    push: async (name, { credentials, skipTlsVerify, signal, onMessage } = {}) => {
      const { repository, tag } = tagOf(name);
      const headers = registryAuth(credentials, parseReference(name).registry);
      const path = `/images/${nameInPath(repository)}/push`;
      const doing = `push ${name}`;
      const { body } = await api.send({
        method: "POST",
        path,
        query: withTls([["tag", tag]], skipTlsVerify),
        headers,
        doing,
        signal,
        long: true,
      });
      let digest: Digest | undefined;
      for await (const message of engineMessages(body.chunks, doing)) {
        digest = digestOfPush(message) ?? digest;
        onMessage?.(message);
      }
      return { digest };
    },
    save: async (names, { signal } = {}) => {
      const known = names.map(engineName);
      if (known.length === 0) throw new DrayError("USAGE", "a save is of one image at least, and none was named");
      const query = known.map((name) => ["names", name] as const);
      return (
        await api.send({
          method: "GET",
          path: "/images/get",
          query,
          doing: `save ${known.join(", ")}`,
          signal,
          long: true,
        })
      ).body;
    },
    load: async (tar, { signal, onMessage } = {}) => {
      const doing = "load";
      // With progress the engine would answer before it has the tar.
      const { body } = await api.send({
        method: "POST",
        path: "/images/load",
        query: [["quiet", "1"]],
        body: tar,
        doing,
        signal,
        long: true,
      });
      const said: string[] = [];
      for await (const message of engineMessages(body.chunks, doing)) {
        if (message.stream !== undefined) said.push(message.stream.trim());
        onMessage?.(message);
      }
      return said;
    },
  };
};

/** Docker says it by itself, podman in the words that docker has for people: `1.0: digest: sha256:… size: 527`. */
const digestOfPush = ({ aux, status = "" }: EngineMessage): Digest | undefined =>
  [aux?.["Digest"], /: digest: (\S+) size: \d+$/.exec(status)?.[1]].find(
    (text): text is Digest => isText(text) && isDigest(text),
  );

/** @throws DrayError `USAGE` for a digest, which no image can be given */
const tagOf = (name: string): { readonly repository: string; readonly tag: string } => {
  const reference = parseReference(name);
  if (reference.digest === undefined) return nameAndTag(reference);
  throw new DrayError("USAGE", `"${name}" names a digest, which an engine neither gives nor pushes; name a tag`);
};

const withTls = (query: readonly [string, string][], skip: boolean | undefined): readonly [string, string][] =>
  skip === true ? [...query, ["tlsVerify", "false"]] : query;

/** The credential for a registry as the engine wants it; docker wants the header even where nobody is meant. */
const registryAuth = (credential: Credential | undefined, registry: string): [string, string][] => {
  const { username, password, identityToken, registryToken } = credential ?? { source: "" };
  const known: Readonly<Record<string, string | undefined>> = {
    username,
    password,
    identitytoken: identityToken,
    registrytoken: registryToken,
    serveraddress: credential && (registry === "docker.io" ? "https://index.docker.io/v1/" : registry),
  };
  return [
    [
      "X-Registry-Auth",
      Buffer.from(JSON.stringify(known)).toString("base64").replaceAll("+", "-").replaceAll("/", "_"),
    ],
  ];
};

const names = (value: unknown): string[] =>
  (Array.isArray(value) ? value : []).filter(isText).filter((name) => !name.startsWith("<none>"));

const entryOf = (found: Readonly<Record<string, unknown>>): EngineImageEntry => {
  const { Descriptor: descriptor, Digest: own } = found;
  const digest = isObject(descriptor) ? descriptor["digest"] : own;
  return {
    id: idOf(found["Id"]),
    names: names(found["RepoTags"]),
    digests: names(found["RepoDigests"]),
    ...(isText(digest) && isDigest(digest) ? { digest } : {}),
    size: typeof found["Size"] === "number" ? found["Size"] : 0,
    created: timeOf(found["Created"]),
  };
};

/** Podman says some without their algorithm. */
const idOf = (value: unknown): string =>
  isText(value) ? (/^[0-9a-f]{64}$/.test(value) ? `sha256:${value}` : value) : "";

/** Seconds in lists, a date in descriptions. */
const timeOf = (value: unknown): Date | undefined => {
  const time = typeof value === "number" ? new Date(value * 1000) : isText(value) ? new Date(value) : undefined;
  return time === undefined || Number.isNaN(time.getTime()) ? undefined : time;
};

const imageOf = (found: unknown): EngineImage => {
  if (!isObject(found))
    throw new DrayError("ENGINE", "the engine describes an image by something that is no description");
  const { Os: os, Architecture: architecture, Variant: variant, Config: config } = found;
  return {
    ...entryOf(found),
    platform: defined<Platform>({
      os: isText(os) ? os : "linux",
      architecture: isText(architecture) ? architecture : "",
      variant: isText(variant) && variant !== "" ? variant : undefined,
    }),
    config: isObject(config) ? config : {},
  };
};
