/** What a program says to the types: each package and each of its paths, and what has to be refused. */
import { memoryRegistry } from "@dray/testkit";
import { type CopyOptions, copy, type Digest, open, viewOf } from "dray";
import { chain, dockerConfig, environment } from "dray/auth";
import { collect } from "dray/content";
import { isDrayError } from "dray/errors";
import { layoutStore } from "dray/layout";
import { digestOf } from "dray/oci";
import { connect } from "dray/registry";

const options: CopyOptions = { platforms: ["linux/amd64"], jobs: 2 };

const mirror = async (from: string, to: string): Promise<Digest> => {
  const { root } = await copy(await open(from), await open(to), options);
  return root.digest;
};

const entrypointOf = async (host: string): Promise<readonly string[]> => {
  const registry = connect(host, { credentials: chain(environment(), dockerConfig()) });
  const repository = registry.repository("app");
  try {
    const view = await viewOf(repository, await repository.resolve("v1"));
    const image = view.kind === "index" ? await view.image("linux/amd64") : view;
    return (await image.config()).config?.Entrypoint ?? [];
  } catch (error) {
    if (isDrayError(error, "NOT_FOUND")) return [];
    throw error;
  }
};

// @ts-expect-error a member that is none
const misspelt: CopyOptions = { platfroms: [] };

export { collect, digestOf, entrypointOf, layoutStore, memoryRegistry, mirror, misspelt };
