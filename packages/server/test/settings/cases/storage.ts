import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Case } from "../case.ts";
import type { Registry } from "../registry.ts";

/** Begins an upload; gives its place. */
const begun = async (registry: Registry): Promise<string> =>
  (await registry.ask("POST", "/v2/a/blobs/uploads/")).header("Location");

/** How long what should come may take, and how long what should not come is waited for. */
const [long, short] = [20_000, 700];

/** Whether an upload that nobody goes on with is removed. */
const purges =
  (key: string, [eager]: readonly [string, string]) =>
  async (registry: Registry): Promise<boolean> => {
    const place = await begun(registry);
    const ends = performance.now() + (registry.said(key) === eager ? long : short);
    while (performance.now() < ends) {
      // Asking for it would be going on with it.
      await sleep(50);
      if (registry.written("err").includes("abandoned uploads were removed")) break;
    }
    return (await registry.status("GET", place)) === 404;
  };

const purging = "storage.maintenance.uploadpurging";
const eager = { [`${purging}.age`]: "1ms", [`${purging}.interval`]: "1s" };
const purgingCase = (name: string, values: readonly [string, string]): Case => ({
  key: `${purging}.${name}`,
  looksAt: "whether an upload that nobody goes on with is removed",
  values,
  beside: eager,
  see: purges(`${purging}.${name}`, values),
  sees: [true, false],
});

export const storageCases: readonly Case[] = [
  {
    key: "storage.filesystem.rootdirectory",
    looksAt: "the folder in which what is pushed lies",
    values: ["{data}/one", "{data}/two"],
    storage: "files",
    see: async (registry) => {
      await registry.push("a", "x");
      return ["one", "two"].filter((name) => existsSync(join(registry.folder, name, "docker/registry/v2/blobs")));
    },
    sees: [["one"], ["two"]],
  },
  {
    key: "storage.inmemory",
    looksAt: "whether it starts where no folder is named",
    values: [undefined, "{}"],
    storage: "none",
    see: async (registry) => (await registry.push("a", "x")).status,
    sees: ["refused", 201],
    ways: ["file", "variable"],
  },
  {
    key: "storage.delete.enabled",
    looksAt: "the answer to DELETE",
    values: ["true", "false"],
    see: async (registry) => registry.status("DELETE", `/v2/a/manifests/${await registry.pushImage("a", "1")}`),
    sees: [202, 405],
  },
  purgingCase("enabled", ["true", "false"]),
  purgingCase("age", ["1ms", "1h"]),
  purgingCase("interval", ["1s", "1h"]),
  purgingCase("dryrun", ["false", "true"]),
  {
    key: "storage.maintenance.readonly.enabled",
    looksAt: "the answer to a push",
    values: ["false", "true"],
    see: async (registry) => (await registry.push("a", "x")).status,
    sees: [201, 405],
    without: 201,
  },
];
