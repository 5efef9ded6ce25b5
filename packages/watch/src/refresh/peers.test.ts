/** The CNCF's registry, of version 2.8 and of 3, watched: what is pushed, moved and deleted there is told, each once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryRegistry, put, sampleImage } from "@dray/testkit";
import { startDockerRegistry } from "@dray/testkit/peers";
import { copy } from "dray/copy";
import { connect } from "dray/registry";
import { watchFile } from "../../test/watched.ts";
import { remoteClientFactory } from "../client/index.ts";
import { parseRepository } from "../repository.ts";
import { createRefresh } from "./index.ts";

for (const peer of ["docker-registry", "registry"] as const)
  test(`${peer}: what is pushed and moved between two looks is told, each once`, async (t) => {
    const server = await startDockerRegistry({ peer });
    if (server === undefined) return t.skip(`there is no ${peer} here`);
    const source = memoryRegistry();
    const from = connect("source.example", { connection: source.handler, ambient: false });
    const target = connect(server.host, { ambient: false });
    const factory = remoteClientFactory({ rps: 1_000, burst: 1_000, connect: () => ({ ambient: false }) });
    const file = await watchFile();
    const push = async (tag: string, seed: string): Promise<string> => {
      const { root } = (put(source, "team/app", tag, sampleImage({ seed })), sampleImage({ seed }));
      const origin = { store: from.repository("team/app"), name: tag, location: "source" };
      await copy(origin, { store: target.repository("team/app"), name: tag, location: peer });
      return root.digest;
    };
    try {
      const refresh = createRefresh({ file, clientFor: (repository) => factory.clientFor(repository) });
      const app = parseRepository(`${server.host}/team/app`);
      const one = await push("latest", "one");
      assert.deepEqual((await refresh.look(app)).events, []);
      const two = await push("latest", "two");
      await push("2.0", "two");
      const { events, complete } = await refresh.look(app, { now: "all" });
      const told = events.map(({ type, tag, digest, previous }) => [type, tag, digest, previous].join(" "));
      assert.deepEqual(
        [told.toSorted(), complete],
        [[`tag.added 2.0 ${two} `, `tag.moved latest ${two} ${one}`], true],
      );
      assert.deepEqual((await refresh.look(app, { now: "all" })).events, []);
    } finally {
      await Promise.all([factory.close(), from.close(), target.close()]);
      file.close();
      await server.close();
    }
  });
