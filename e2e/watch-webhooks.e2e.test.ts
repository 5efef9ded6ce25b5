/** Registries that tell of pushes: docker-registry and registry 3, whose own notices ask for a look. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { listen, sampleImage } from "@dray/testkit";
import { findPeer, startDockerRegistry } from "@dray/testkit/peers";
import { type Push, webhooks } from "@dray/watch";
import { anonymous } from "dray/auth";
import { bytesContent } from "dray/content";
import { digestOf } from "dray/oci";
import { connect } from "dray/registry";
import { missing } from "./dray.ts";

const secret = "Bearer s3cret-of-the-registry";

for (const peer of ["docker-registry", "registry"] as const)
  test(`a push at ${peer} is a notice that asks for a look, and a wrong secret asks for none`, {
    skip: missing([peer, findPeer(peer)]),
  }, async () => {
    const pushes: Push[] = [];
    const outcomes: string[] = [];
    let taken = (): void => {};
    const came = new Promise<void>((resolve) => (taken = resolve));
    const handler = webhooks({
      hooks: [
        { name: "good", type: "distribution", secret: "s3cret-of-the-registry" },
        { name: "bad", type: "distribution", secret: "another" },
      ],
      onPush: (push) => pushes.push(push),
      onOutcome: ({ hook, outcome }) => {
        outcomes.push(`${hook} ${outcome}`);
        if (pushes.length > 0 && outcomes.includes("bad forged")) taken();
      },
    });
    const listener = await listen(handler);
    const endpoint = (name: string): object => ({
      name,
      url: `${listener.origin}/v1/webhooks/${name}`,
      headers: { Authorization: [secret] },
      timeout: "1s",
      threshold: 100,
      backoff: "100ms",
    });
    const server = await startDockerRegistry({
      peer,
      notifications: { endpoints: [endpoint("good"), endpoint("bad")] },
    });
    assert.ok(server !== undefined);
    const registry = connect(server.host, { credentials: anonymous, stateDir: false, plainHttp: true });
    const image = sampleImage({ seed: "pushed", layers: 1, layerSize: 1000 });
    const repository = registry.repository("team/app");
    for (const bytes of image.blobs.values())
      await repository.write(
        { mediaType: "application/octet-stream", digest: digestOf(bytes), size: bytes.byteLength },
        bytesContent(bytes),
        { kind: "blob" },
      );
    for (const { mediaType, bytes } of image.manifests.values())
      await repository.ingest(bytesContent(bytes), { mediaType });
    await repository.tag(image.root, "1.0");
    await came;
    assert.deepEqual(pushes[0], {
      repository: `${server.host}/team/app`,
      tag: "1.0",
      digest: image.root.digest,
      action: "push",
    });
    assert.ok(!outcomes.includes("bad taken"));
    await registry.close();
    await server.close();
    await listener.close();
  });
