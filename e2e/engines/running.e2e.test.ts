/** What containers run, asked of the engines that people have. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Listener, listen, memoryRegistry, put, sampleImage } from "@dray/testkit";
import { type EngineKind, noEngine, startEngine, type TestEngine } from "@dray/testkit/peers";
import { runningInEngine } from "@dray/watch";
import { connectEngine, type Engine } from "dray/daemon";
import { type Sandbox, workshop } from "../dray.ts";

const kinds: readonly EngineKind[] = ["docker", "docker-oci", "podman"];

for (const kind of kinds)
  describe(`what runs, with ${kind}`, { skip: noEngine(kind) }, () => {
    let [shop, site, its, engine]: [Sandbox?, Listener?, TestEngine?, Engine?] = [];
    const registry = memoryRegistry();
    const image = sampleImage({ seed: `running-${kind}`, docker: true });

    before(async () => {
      shop = await workshop();
      put(registry, "team/app", "1.2", image);
      site = await listen(registry.handler);
      its = await startEngine(kind, { plain: [site.host] });
      engine = connectEngine({ host: its.host });
    });
    after(async () => {
      await engine?.close();
      await its?.close();
      await site?.close();
      await shop?.close();
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

    test("dray outdated finds what a container's image has as newer", async () => {
      const name = `${site?.host}/team/web:1.0`;
      const known = engine as Engine;
      put(registry, "team/web", "1.0", image);
      put(registry, "team/web", "1.1", sampleImage({ seed: `outdated-${kind}`, docker: true }));
      await known.pull(name);
      // It has to run to be looked at, and nothing runs in these engines.
      const [flag, env] =
        kind === "podman" ? ["--podman", { CONTAINER_HOST: its?.host }] : ["--docker", { DOCKER_HOST: its?.host }];
      const { code, stdout, stderr } = await (shop as Sandbox).here(["outdated", flag, "-o", "json", "-i", name], {
        env,
      });
      assert.equal(code, 0, stderr);
      const { images } = JSON.parse(stdout) as { images: readonly { readonly newest: { readonly tag: string } }[] };
      assert.deepEqual(
        images.map(({ newest }) => newest.tag),
        ["1.1"],
      );
    });
  });
