/** What containers run, asked of the engines that people have. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Listener, listen, memoryRegistry, put, sampleImage } from "@dray/testkit";
import { type EngineKind, noEngine, startEngine, type TestEngine } from "@dray/testkit/peers";
import { runningInEngine } from "@dray/watch";
import { connectEngine, type Engine } from "dray/daemon";

const kinds: readonly EngineKind[] = ["docker", "docker-oci", "podman"];

for (const kind of kinds)
  describe(`what runs, with ${kind}`, { skip: noEngine(kind) }, () => {
    let [site, its, engine]: [Listener?, TestEngine?, Engine?] = [];
    const registry = memoryRegistry();
    const image = sampleImage({ seed: `running-${kind}`, docker: true });

    before(async () => {
      put(registry, "team/app", "1.2", image);
      site = await listen(registry.handler);
      its = await startEngine(kind, { plain: [site.host] });
      engine = connectEngine({ host: its.host });
    });
    after(async () => {
      await engine?.close();
      await its?.close();
      await site?.close();
    });

    test("a container's image, by the digest that its registry has", async () => {
      const name = `${site?.host}/team/app:1.2`;
      const known = engine as Engine;
      await known.pull(name);
      const container = await known.containers.create(name, { name: "web", command: ["/bin/true"] });
      assert.deepEqual(await runningInEngine(known), []);
      const [running, ...more] = await runningInEngine(known, { all: true });
      assert.deepEqual([running?.image, more], [name, []]);
      assert.deepEqual(running?.places, ["container web"]);
      assert.deepEqual(running?.digests, [image.root.digest]);
      // The name goes to another image: the digest still tells what runs.
      put(registry, "team/app", "1.2", sampleImage({ seed: `newer-${kind}`, docker: true }));
      await known.pull(name);
      const [nameless] = await runningInEngine(known, { all: true });
      assert.deepEqual([nameless?.reference.repository, nameless?.digests], ["team/app", [image.root.digest]]);
      await known.containers.remove(container);
    });
  });
