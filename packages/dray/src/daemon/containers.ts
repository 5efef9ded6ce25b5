import type { Body } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { isObject } from "../oci/index.ts";
import type { EngineApi } from "./api.ts";
import { engineName, nameInPath } from "./engine-name.ts";
import { isText } from "./fields.ts";
import type { EngineCall } from "./images.ts";

/** What a container is made with. */
export interface NewContainer {
  /** Default: one that the engine makes up. */
  readonly name?: string | undefined;
  /** What it runs, if it is ever started. Default: what the image says. */
  readonly command?: readonly string[] | undefined;
  readonly env?: readonly string[] | undefined;
}

/** A container as an engine describes it. */
export interface EngineContainer {
  readonly id: string;
  /** ID of the image that it was made of. */
  readonly image: string;
  readonly name: string;
  /** What it runs with, as the engine says it. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly running: boolean;
}

/** A container as an engine lists it. */
export interface EngineContainerEntry {
  readonly id: string;
  readonly name: string;
  /** What it was made of, as it was said: `nginx:1.27`; an ID where that name has gone to another image. */
  readonly image: string;
  /** ID of the image that it was made of. */
  readonly imageId: string;
  /** Its own, and those of its image. */
  readonly labels: Readonly<Record<string, string>>;
}

/** The part of an engine that is about containers, as far as images are taken from them. */
export interface EngineContainers {
  /** Makes a container, which does not run, and tells its ID. @throws DrayError `NOT_FOUND` for the image, `CONFLICT` for the name */
  create(image: string, options?: EngineCall & NewContainer): Promise<string>;
  start(container: string, options?: EngineCall): Promise<void>;
  /** Those that run; `all`: those that do not, as well. */
  list(options?: EngineCall & { readonly all?: boolean | undefined }): Promise<EngineContainerEntry[]>;
  /** @throws DrayError `NOT_FOUND` */
  inspect(container: string, options?: EngineCall): Promise<EngineContainer>;
  /** Its file system as one tar, as it comes; what is mounted into it is not among it. */
  export(container: string, options?: EngineCall): Promise<Body>;
  /** `force`: one that runs is ended. Volumes that have no name go with it. */
  remove(container: string, options?: EngineCall & { readonly force?: boolean | undefined }): Promise<void>;
}

/** Containers, by the API of an engine. */
export const engineContainers = (api: EngineApi): EngineContainers => ({
  create: async (image, { name, command, env, signal } = {}) => {
    const body = { Image: engineName(image), Cmd: command, Env: env };
    const query = name === undefined ? [] : ([["name", name]] as const);
    const made = await api.json({
      method: "POST",
      path: "/containers/create",
      query,
      body,
      doing: `make a container of ${image}`,
      signal,
    });
    const id = isObject(made) ? made["Id"] : undefined;
    if (isText(id)) return id;
    throw new DrayError("ENGINE", `make a container of ${image}: the engine names none`);
  },
  start: async (container, { signal } = {}) => {
    await api.done({
      method: "POST",
      path: `/containers/${nameInPath(container)}/start`,
      doing: `start ${container}`,
      signal,
    });
  },
  list: async ({ all = false, signal } = {}) => {
    const query = all ? ([["all", "1"]] as const) : [];
    const found = await api.json({ method: "GET", path: "/containers/json", query, doing: "list containers", signal });
    return (Array.isArray(found) ? found : []).filter(isObject).map((each) => {
      const { Id: id, Names: names, Image: image, ImageID: imageId, Labels: labels } = each;
      const [name] = Array.isArray(names) ? names.filter(isText) : [];
      return {
        id: isText(id) ? id : "",
        name: (name ?? "").replace(/^\//, ""),
        image: isText(image) ? image : "",
        imageId: isText(imageId) ? imageId : "",
        labels: Object.fromEntries(
          Object.entries(isObject(labels) ? labels : {}).filter((pair): pair is [string, string] => isText(pair[1])),
        ),
      };
    });
  },
  inspect: async (container, { signal } = {}) => {
    const found = await api.json({
      method: "GET",
      path: `/containers/${nameInPath(container)}/json`,
      doing: `inspect ${container}`,
      signal,
    });
    const { Id: id, Image: image, Name: name, Config: config, State: state } = isObject(found) ? found : {};
    return {
      id: isText(id) ? id : container,
      image: isText(image) ? image : "",
      name: isText(name) ? name.replace(/^\//, "") : "",
      config: isObject(config) ? config : {},
      running: isObject(state) && state["Running"] === true,
    };
  },
  export: async (container, { signal } = {}) =>
    (
      await api.send({
        method: "GET",
        path: `/containers/${nameInPath(container)}/export`,
        doing: `export ${container}`,
        signal,
        long: true,
      })
    ).body,
  remove: async (container, { force = false, signal } = {}) => {
    const query = [["v", "1"], ...(force ? [["force", "1"]] : [])] as [string, string][];
    await api.done({
      method: "DELETE",
      path: `/containers/${nameInPath(container)}`,
      query,
      doing: `remove ${container}`,
      signal,
    });
  },
});
