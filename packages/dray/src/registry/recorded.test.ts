/** What the CNCF's registries answered once, and what the client makes of it: our own server could share an error of ours. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sampleImage } from "@dray/testkit";
import { type Peer, peers, type RecordedRegistry, startRecordedRegistry } from "@dray/testkit/recorded";
import { failsWith } from "../../test/registry-client.ts";
import { anonymous, staticCredential } from "../auth/index.ts";
import { bytesContent, collect, type MemoryStore, memoryStore } from "../content/index.ts";
import { copy } from "../copy/index.ts";
import { isDrayError } from "../errors.ts";
import { type Descriptor, digestOf } from "../oci/index.ts";
import { connect } from "./connect.ts";
import type { ConnectOptions } from "./connect-options.ts";
import type { Registry } from "./registry.ts";

const image = sampleImage({ seed: "recorded", layerSize: 200_000 });
const unknown = digestOf(new Uint8Array([1]));

const held = async (): Promise<MemoryStore> => {
  const store = memoryStore();
  for (const [digest, bytes] of image.blobs)
    await store.write({ mediaType: "application/octet-stream", digest, size: bytes.byteLength }, bytesContent(bytes));
  for (const [digest, { mediaType, bytes }] of image.manifests)
    await store.write({ mediaType, digest, size: bytes.byteLength }, bytesContent(bytes));
  return store;
};

interface Fixture {
  readonly registry: RecordedRegistry;
  readonly client: Registry;
  /** Copies the image from memory to a repository and gives what it stands for there. */
  readonly push: (repository: string, name: string) => Promise<Descriptor>;
}

const against = async (
  peer: Peer,
  work: (fixture: Fixture) => Promise<void>,
  options: ConnectOptions = {},
  password?: string,
): Promise<void> => {
  const registry = await startRecordedRegistry({ peer, ...(password === undefined ? {} : { password }) });
  const client = connect(registry.host, { credentials: anonymous, stateDir: false, ...options });
  const push = async (repository: string, name: string): Promise<Descriptor> => {
    const source = { store: await held(), name: image.root.digest, location: "memory:" };
    const target = { store: client.repository(repository), name, location: `${registry.host}/${repository}:${name}` };
    return (await copy(source, target)).root;
  };
  try {
    await work({ registry, client, push });
  } finally {
    await client.close();
    await registry.close();
  }
};

for (const peer of peers)
  describe(`${peer}, as it was recorded`, () => {
    test("an image is pushed, found by its tag and its digest, and pulled", () =>
      against(peer, async ({ client, push }) => {
        assert.deepEqual(await push("team/app", "1.0"), image.root);
        const repository = client.repository("team/app");
        for (const name of ["1.0", image.root.digest]) assert.deepEqual(await repository.resolve(name), image.root);
        const target = memoryStore();
        const source = { store: repository, name: "1.0", location: "team/app:1.0" };
        await copy(source, { store: target, name: "again", location: "memory:again" });
        for (const layer of image.layers)
          assert.equal(digestOf(await collect(target.read(layer), layer.size, "a layer")), layer.digest);
      }));

    test("what is there already is not pushed again", () =>
      against(peer, async ({ registry, push }) => {
        await push("team/app", "1.0");
        const before = registry.requests.length;
        await push("team/app", "1.1");
        const again = registry.requests.slice(before);
        assert.deepEqual(
          again.filter((line) => /^(POST|PATCH)/.test(line)),
          [],
        );
      }));

    test("a blob is read from its middle", () =>
      against(peer, async ({ client, push }) => {
        await push("team/app", "1.0");
        const [layer] = image.layers as [Descriptor];
        const part = await collect(client.repository("team/app").read(layer, { offset: 1000 }), layer.size, "a part");
        assert.ok(
          image.blobs
            .get(layer.digest)
            ?.subarray(1000)
            .every((byte, i) => byte === part[i]),
        );
      }));

    test("a blob in chunks follows the address that each answer gives", () =>
      against(
        peer,
        async ({ registry, client }) => {
          const bytes = new Uint8Array(2_500_000).fill(7);
          const descriptor = { mediaType: "application/octet-stream", digest: digestOf(bytes), size: bytes.byteLength };
          await client.repository("team/app").upload(descriptor, bytesContent(bytes));
          const states = registry.requests.flatMap((line) => /^PATCH .*_state=([^&]+)/.exec(line)?.[1] ?? []);
          assert.ok(states.length >= 2, `${states.length} chunks`);
          assert.equal(new Set(states).size, states.length);
          assert.deepEqual(await collect(client.repository("team/app").blob(descriptor), 3_000_000, "it"), bytes);
        },
        { chunkSize: 1_000_000 },
      ));

    test("a blob that another repository has is mounted", () =>
      against(peer, async ({ registry, client, push }) => {
        await push("team/app", "1.0");
        const source = { store: client.repository("team/app"), name: "1.0", location: `${registry.host}/team/app:1.0` };
        const target = {
          store: client.repository("team/fork"),
          name: "1.0",
          location: `${registry.host}/team/fork:1.0`,
        };
        const { mounted, root } = await copy(source, target);
        assert.deepEqual([mounted, root], [image.blobs.size, image.root]);
      }));

    test("tags are listed, page after page where there are pages", () =>
      against(peer, async ({ client, push }) => {
        for (const tag of ["b", "a", "c"]) await push("team/app", tag);
        const listed = await Array.fromAsync(client.repository("team/app").tags({ pageSize: 2 }));
        assert.deepEqual(listed, peer === "registry" ? ["a", "b", "c"] : ["b", "a", "c"]);
      }));

    test("manifests and blobs are deleted, and then they are not there", () =>
      against(peer, async ({ client, push }) => {
        await push("team/app", "1.0");
        const repository = client.repository("team/app");
        const [layer] = image.layers as [Descriptor];
        await repository.remove(image.root.digest);
        await repository.removeBlob(layer.digest);
        await assert.rejects(repository.resolve("1.0"), failsWith("NOT_FOUND"));
        await assert.rejects(repository.remove(image.root.digest), failsWith("NOT_FOUND"));
        await assert.rejects(repository.removeBlob(layer.digest), failsWith("NOT_FOUND"));
        assert.equal(await repository.has(layer), false);
      }));

    test("a tag is deleted by the version that can", () =>
      against(peer, async ({ client, push }) => {
        await push("team/app", "1.0");
        const repository = client.repository("team/app");
        if (peer === "registry") {
          await repository.remove("1.0");
          await assert.rejects(repository.resolve("1.0"), failsWith("NOT_FOUND"));
          assert.deepEqual(await repository.resolve(image.root.digest), image.root);
        } else await assert.rejects(repository.remove("1.0"), failsWith("UNSUPPORTED"));
      }));

    test("a registry without a referrers API is asked by the tag that stands for it", () =>
      against(peer, async ({ registry, client, push }) => {
        await push("team/app", "1.0");
        assert.deepEqual(await Array.fromAsync(client.repository("team/app").referrers(image.root)), []);
        assert.ok(registry.requests.at(-1)?.endsWith(`/manifests/${image.root.digest.replace(":", "-")}`));
      }));

    const missing: readonly [what: string, ask: (client: Registry) => Promise<unknown>, said: RegExp][] = [
      ["tag", (client) => client.repository("team/none").resolve("1.0"), /team\/none:1\.0/],
      ["digest", (client) => client.repository("team/none").manifest(unknown), /sha256:/],
      ["blob", (client) => Array.fromAsync(client.repository("team/none").blob(unknown)), /sha256:/],
      ["repository", (client) => Array.fromAsync(client.repository("team/none").tags()), /team\/none/],
    ];
    for (const [what, ask, said] of missing)
      test(`a ${what} that is not there`, () =>
        against(peer, async ({ client }) => {
          await assert.rejects(ask(client), (error) => isDrayError(error, "NOT_FOUND") && said.test(error.message));
        }));

    test("a manifest without its blobs is refused in the registry's own words", () =>
      against(peer, async ({ client }) => {
        const { bytes } = image.manifests.get(image.root.digest) as { bytes: Uint8Array };
        const pushed = client.repository("team/app").write(image.root, bytesContent(bytes));
        await assert.rejects(pushed, (error) => isDrayError(error) && /blob unknown to registry/.test(error.message));
      }));

    test("who may not is told so, who says the password may", async () => {
      const password = "somebody:secret";
      await against(
        peer,
        async ({ client }) => {
          await assert.rejects(client.repository("team/app").resolve("1.0"), failsWith("UNAUTHORIZED"));
        },
        {},
        password,
      );
      const credentials = staticCredential({ source: "test", username: "somebody", password: "secret" });
      await against(peer, async ({ push }) => void (await push("team/app", "1.0")), { credentials }, password);
    });
  });
