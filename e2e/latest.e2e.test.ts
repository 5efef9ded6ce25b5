/** The newest tag on registries of others, of the tags that crane, regctl and skopeo list. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findPeer, startDockerRegistry, succeed } from "@dray/testkit/peers";
import { workshop } from "./dray.ts";

const tags = [
  ..."1.9.0 1.10.0 1.10.1 1.11.0-rc.1 1.11.0-rc.2 2.0.0-beta.1 latest nightly main-4f8a2c1 20240115 1234567".split(" "),
  ...Array.from({ length: 12 }, (_, i) => `0.${i}.${i * 7}`),
];
const peers: readonly (readonly [name: string, words: (repository: string) => readonly string[]])[] = [
  ["crane", (repository) => ["ls", "--insecure", repository]],
  ["regctl", (repository) => ["tag", "ls", repository]],
  ["skopeo", (repository) => ["list-tags", "--tls-verify=false", `docker://${repository}`]],
];
const newest: Readonly<Record<string, string>> = {
  "*": "1.10.1",
  "^1.9": "1.10.1",
  "~0.5": "0.5.35",
  "<1": "0.11.77",
  "^1.11.0-0": "1.11.0-rc.2",
  "0.x || 1.9.x": "1.9.0",
};

describe("the newest tag, beside others", () => {
  for (const peer of ["docker-registry", "registry"] as const) {
    const skip = findPeer(peer) === undefined && `there is no ${peer} here`;
    test(`on ${peer}`, { skip }, async () => {
      const registry = await startDockerRegistry({ peer });
      assert.ok(registry !== undefined);
      const shop = await workshop();
      const repository = `${registry.host}/team/app`;
      try {
        await shop.ok(["append", "--insecure", "-f", shop.path("."), "-t", `${repository}:seed`]);
        for (const tag of tags) assert.equal((await shop.here(["tag", `${repository}:seed`, tag])).code, 0, tag);
        const env = { ...shop.env, REGCTL_CONFIG: shop.path("regctl.json") };
        for (const [name, words] of peers) {
          const program = findPeer(name);
          if (program === undefined) continue;
          if (name === "regctl") await succeed([program, "registry", "set", "--tls=disabled", registry.host], { env });
          const listed: string = await succeed([program, ...words(repository)], { env });
          const theirs = new Set<string>(listed.match(/\w[\w.-]*/g));
          assert.ok(
            tags.every((tag) => theirs.has(tag)),
            `${name}: ${listed}`,
          );
        }
        for (const [range, tag] of Object.entries(newest)) {
          const { stdout } = await shop.here(["latest", "--semver", range, repository]);
          assert.equal(stdout, `${repository}:${tag}\n`, range);
        }
        const explained = JSON.parse((await shop.here(["latest", "--explain", "-o", "json", repository])).stdout);
        assert.deepEqual(explained.verdicts.map(({ tag }: { tag: string }) => tag).sort(), [...tags, "seed"].sort());
        const pinned = (await shop.here(["latest", "--digest", "always", repository])).stdout.trim();
        assert.equal(
          pinned,
          `${repository}:1.10.1@${(await shop.here(["digest", `${repository}:1.10.1`])).stdout.trim()}`,
        );
      } finally {
        await registry.close();
        await shop.close();
      }
    });
  }
});
