import { createRegistry, memoryDriver } from "@dray/server";
import { connect, copy } from "dray";
import { randomImage } from "dray/image";

/** A registry in this process, without a socket: what a test pushes to, and asks what it got. */
export const pushedTags = async (names: readonly string[]): Promise<string[]> => {
  const server = createRegistry({ driver: memoryDriver() });
  const registry = connect("registry.test", { connection: server });
  const store = registry.repository("team/app");
  const { store: made, descriptor } = await randomImage({ seed: "a" });
  for (const name of names)
    await copy({ store: made, name: descriptor.digest, location: "chance" }, { store, name, location: "test" });
  const tags = await Array.fromAsync(store.tags());
  await registry.close();
  await server.close();
  return tags;
};
