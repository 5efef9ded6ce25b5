/** A Cloudflare worker: the registry in the request's query is pushed to and read, by the worker's own `fetch`. */
import { connect, copy, fetchConnection, memoryStore } from "dray";
import { randomImage } from "./image.mjs";

export default {
  async fetch(request) {
    const host = new URL(request.url).searchParams.get("host");
    try {
      const registry = connect(`http://${host}`, { connection: fetchConnection(fetch), ambient: false });
      const repository = registry.repository("consumers/worker");
      const image = await randomImage();
      const source = { store: image.store, name: image.root.digest, location: "memory" };
      await copy(source, { store: repository, name: "v1", location: "registry" });
      const tags = await Array.fromAsync(repository.tags());
      const target = memoryStore();
      const { root } = await copy(
        { store: repository, name: "v1", location: "registry" },
        { store: target, name: "v1", location: "memory" },
      );
      return new Response(`${tags.join(" ")} ${root.digest === image.root.digest}`);
    } catch (error) {
      return new Response(`${error.stack}`, { status: 500 });
    }
  },
};
