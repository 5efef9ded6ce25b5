import type { Case } from "../case.ts";
import type { Registry } from "../registry.ts";

/** The last line of the log, after one was written for sure. */
const lastLine = async (registry: Registry): Promise<string> => {
  await registry.flush();
  return registry.written("err").trim().split("\n").at(-1) ?? "";
};

/** Whether a line that is worth `info` is written. */
const tellsInfo = async (registry: Registry): Promise<boolean> => {
  const before = registry.written("err").length;
  await registry.flush();
  return registry.written("err").slice(before).includes("reloaded");
};

/** Names in a page of what pushes have left. */
const firstPage =
  (target: string, member: string) =>
  async (registry: Registry): Promise<number | undefined> => {
    for (const name of ["one", "two"]) {
      await registry.pushImage(name, "1");
      await registry.pushImage("one", name);
    }
    return (JSON.parse((await registry.ask("GET", target)).text) as Record<string, unknown[]>)[member]?.length;
  };

const linux = { os: "linux", architecture: "amd64" };

/** The answer to an index whose manifest is not there. */
const putSparseIndex = async (registry: Registry): Promise<number> => {
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const digest = `sha256:${"0".repeat(64)}`;
  const child = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: 9, platform: linux };
  const index = JSON.stringify({ schemaVersion: 2, mediaType, manifests: [child] });
  return (await registry.put("a", "sparse", index)).status;
};

const all = { "validation.manifests.indexes.platforms": "all" };

export const generalCases: readonly Case[] = [
  {
    key: "version",
    looksAt: "whether a file of that version is taken",
    values: ["0.1", "0.2"],
    see: async () => "served",
    sees: ["served", "refused"],
    ways: ["file"],
  },
  {
    key: "log.level",
    looksAt: "whether a line of level info is written",
    values: ["info", "error"],
    see: tellsInfo,
    sees: [true, false],
    without: true,
  },
  {
    key: "loglevel",
    looksAt: "whether a line of level info is written",
    values: ["info", "error"],
    see: tellsInfo,
    sees: [true, false],
    without: true,
  },
  {
    key: "log.formatter",
    looksAt: "how lines of the log and of requests begin",
    values: ["text", "json"],
    see: async (registry) => {
      await registry.ask("GET", "/v2/");
      return [(await lastLine(registry))[0] === "{", registry.written("out")[0] === "{"];
    },
    sees: [
      [false, false],
      [true, true],
    ],
  },
  {
    key: "log.fields",
    looksAt: "a word in each line",
    values: ["{town: Rome}", "{town: Oslo}"],
    see: async (registry) => / town=\w+/.exec(await lastLine(registry))?.[0],
    sees: [" town=Rome", " town=Oslo"],
  },
  {
    key: "log.accesslog.disabled",
    looksAt: "whether a request leaves a line",
    values: ["false", "true"],
    see: async (registry) => {
      await registry.ask("GET", "/v2/_catalog");
      await registry.flush();
      return registry.written("out").includes("/v2/_catalog");
    },
    sees: [true, false],
  },
  {
    key: "catalog.maxentries",
    looksAt: "repositories in the first page",
    values: ["1", "2"],
    see: firstPage("/v2/_catalog", "repositories"),
    sees: [1, 2],
  },
  {
    key: "tags.maxtags",
    looksAt: "tags in the first page",
    values: ["1", "2"],
    see: firstPage("/v2/one/tags/list", "tags"),
    sees: [1, 2],
  },
  {
    key: "validation.enabled",
    looksAt: "the answer to an index without its manifests, where validation is disabled as well",
    values: ["true", "false"],
    beside: { ...all, "validation.disabled": "true" },
    see: putSparseIndex,
    sees: [400, 201],
  },
  {
    key: "validation.disabled",
    looksAt: "the answer to an index without its manifests",
    values: ["false", "true"],
    beside: all,
    see: putSparseIndex,
    sees: [400, 201],
  },
  {
    key: "validation.manifests.indexes.platforms",
    looksAt: "the answer to an index without its manifests",
    values: ["all", "none"],
    see: putSparseIndex,
    sees: [400, 201],
  },
  {
    key: "validation.manifests.indexes.platformlist",
    looksAt: "the answer to an index without its manifest for linux/amd64",
    values: ["[{os: linux, architecture: amd64}]", "[{os: linux, architecture: arm64}]"],
    beside: { "validation.manifests.indexes.platforms": "list" },
    see: putSparseIndex,
    sees: [400, 201],
  },
];
