import assert from "node:assert/strict";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Listener, listen, memoryRegistry, seededBytes } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { anonymous } from "../auth/index.ts";
import {
  type Content,
  isTransferring,
  meteredContent,
  overlay,
  type ReadableStore,
  type Store,
  transfersChunks,
} from "../content/index.ts";
import { validate } from "../image/index.ts";
import { layoutStore, ociArchive } from "../layout/index.ts";
import { type Descriptor, type Digest, digestOf, encodeJson, mediaTypes } from "../oci/index.ts";
import { connect, type Registry, type Repository } from "../registry/index.ts";
import { copy } from "./copy.ts";

// One that is hashed in place, and one that a thread hashes.
const layers = [seededBytes("small", 3_000_000), seededBytes("large", 9 * 1024 * 1024)];
const image = (() => {
  const described = layers.map((bytes) => ({
    mediaType: mediaTypes.ociLayer,
    digest: digestOf(bytes),
    size: bytes.byteLength,
  }));
  const rootfs = { type: "layers", diff_ids: described.map(({ digest }) => digest) };
  const config = encodeJson({ architecture: "amd64", os: "linux", rootfs });
  const manifest = encodeJson({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.byteLength },
    layers: described,
  });
  const root: Descriptor = {
    mediaType: mediaTypes.ociManifest,
    digest: digestOf(manifest),
    size: manifest.byteLength,
  };
  return { root, config, manifest };
})();

const registry = memoryRegistry();
const at = <S>(store: S, name: string): { store: S; name: string; location: string } => ({
  store,
  name,
  location: name,
});

let server: Listener;
let client: Registry;
/** Another one, empty for each copy. */
let empty = memoryRegistry();
let other: Listener;
let otherClient: Registry;
let source: Repository;
let folder: string;

before(async () => {
  for (const bytes of [...layers, image.config]) registry.addBlob("wrap/app", bytes);
  registry.addManifest("wrap/app", { mediaType: mediaTypes.ociManifest, bytes: image.manifest }, "1");
  server = await listen(registry.handler);
  client = connect(new URL(server.origin).host, { credentials: anonymous, stateDir: false });
  source = client.repository("wrap/app");
  other = await listen((request) => empty.handler(request));
  otherClient = connect(new URL(other.origin).host, { credentials: anonymous, stateDir: false });
  folder = temporaryFolder("wrapped");
});

after(async () => {
  for (const each of [client, otherClient, server, other]) await each.close();
});

/** What a wrapper did with what passed through it, as it finds it afterwards. */
type Seen = () => Promise<Map<Digest, Uint8Array>>;

const keeping = (): { read: ReadableStore["read"]; chunks: Map<Digest, Uint8Array[]>; seen: Seen } => {
  const chunks = new Map<Digest, Uint8Array[]>();
  return {
    chunks,
    seen: async () => new Map([...chunks].map(([digest, parts]) => [digest, Buffer.concat(parts)])),
    read: async function* (descriptor, options) {
      const parts: Uint8Array[] = [];
      chunks.set(descriptor.digest, parts);
      for await (const chunk of source.read(descriptor, options)) {
        parts.push(chunk);
        yield chunk;
      }
    },
  };
};

const teeing = (name: string): { read: ReadableStore["read"]; seen: Seen } => {
  const files = new Map<Digest, string>();
  return {
    seen: async () => {
      const read = [...files].map(
        async ([digest, file]): Promise<[Digest, Uint8Array]> => [digest, await readFile(file)],
      );
      return new Map(await Promise.all(read));
    },
    read: async function* (descriptor, options) {
      const file = join(folder, `${name}-${descriptor.digest.slice(7)}`);
      const out = createWriteStream(file);
      files.set(descriptor.digest, file);
      for await (const chunk of source.read(descriptor, options)) {
        out.write(chunk);
        yield chunk;
      }
      out.end();
      await once(out, "finish");
    },
  };
};

/** The ways in which a store is wrapped that reads through `read`. */
const wrappers: Record<string, (read: ReadableStore["read"]) => ReadableStore> = {
  "an object of its own": (read) => ({ read, resolve: (name, options) => source.resolve(name, options) }),
  "a spread": (read) => ({ ...source, read, resolve: (name, options) => source.resolve(name, options) }),
  "an heir": (read) =>
    Object.assign(Object.create(source), { read, resolve: source.resolve.bind(source) }) as ReadableStore,
  "a proxy that remembers what it gave": (read) => {
    const given = new Map<unknown, unknown>();
    return new Proxy<ReadableStore>(source, {
      get: (target, member) => {
        const value: unknown = Reflect.get(target, member);
        if (typeof value !== "function") return value;
        if (!given.has(value)) given.set(value, value === target.read ? read : value.bind(target));
        return given.get(value);
      },
    });
  },
  "a proxy": (read) =>
    new Proxy<ReadableStore>(source, {
      get: (target, member) => {
        if (member === "read") return read;
        const value: unknown = Reflect.get(target, member);
        return member === "resolve" ? source.resolve.bind(source) : value;
      },
    }),
};

const targets: Record<string, (name: string) => Store> = {
  "a layout": (name) => layoutStore(join(folder, `${name}-layout`)),
  "an archive": (name) => ociArchive(join(folder, `${name}.tar`)),
  "a registry": () => {
    empty = memoryRegistry();
    return otherClient.repository("to/app");
  },
};

const check = async (seen: Seen): Promise<void> => {
  const found = await seen();
  for (const bytes of layers) assert.equal(digestOf(found.get(digestOf(bytes)) as Uint8Array), digestOf(bytes));
};

describe("a store around another one keeps what it passes on", () => {
  for (const [how, wrap] of Object.entries(wrappers))
    for (const [where, target] of Object.entries(targets)) {
      it(`${how} that keeps chunks, copied to ${where}`, async () => {
        const { read, seen } = keeping();
        await copy(at(wrap(read), "1"), at(target(`keep ${how}`), "1"));
        await check(seen);
      });

      it(`${how} that writes chunks to a file, copied to ${where}`, async () => {
        const { read, seen } = teeing(`${how} ${where}`.replaceAll(" ", "-"));
        await copy(at(wrap(read), "1"), at(target(`tee ${how}`), "1"));
        await check(seen);
      });
    }

  it("when it is validated", async () => {
    const { read, seen } = keeping();
    const store: ReadableStore = { read, resolve: (name, options) => source.resolve(name, options) };
    assert.deepEqual((await validate(store, image.root)).findings, []);
    await check(seen);
  });

  it("below an overlay", async () => {
    const { read, seen } = keeping();
    const store = overlay({ read, resolve: (name, options) => source.resolve(name, options) });
    await copy(at(store, "1"), at(layoutStore(join(folder, "overlay")), "1"));
    await check(seen);
  });
});

describe("a target around another one keeps what it passes on", () => {
  for (const [where, target] of Object.entries(targets))
    it(`in content of its own, written to ${where}`, async () => {
      const kept = new Map<Digest, Uint8Array[]>();
      const below = target("kept by the target");
      const write: Store["write"] = (descriptor, content, options) => {
        const parts: Uint8Array[] = [];
        kept.set(descriptor.digest, parts);
        const open: Content["open"] = async function* (from) {
          for await (const chunk of content.open(from)) {
            parts.push(chunk);
            yield chunk;
          }
        };
        return below.write(descriptor, { ...content, open }, options);
      };
      const store = new Proxy(below, {
        get: (to, member) => {
          const value: unknown = Reflect.get(to, member);
          if (member === "write") return write;
          return typeof value === "function" ? value.bind(to) : value;
        },
      });
      await copy(at(source, "1"), at(store, "1"));
      await check(async () => new Map([...kept].map(([digest, parts]) => [digest, Buffer.concat(parts)])));
    });
});

describe("a store that declares it", () => {
  it("has its chunks taken over", async () => {
    const { read, chunks } = keeping();
    const store = { read: transfersChunks(read), resolve: source.resolve.bind(source) };
    await copy(at(store, "1"), at(layoutStore(join(folder, "declared")), "1"));
    for (const bytes of layers) {
      const left = chunks.get(digestOf(bytes))?.filter(({ byteLength }) => byteLength > 0) ?? [];
      assert.ok(left.length * 10 < bytes.byteLength / 65_536, `${left.length} chunks were left`);
    }
  });

  it("is each of those that read from a network or a tar, and an overlay of one", () => {
    for (const store of [source, ociArchive("x.tar"), overlay(source)]) {
      assert.ok(isTransferring(store));
      assert.ok(isTransferring(meteredContent(store, image.root, { verify: true, onEvent: () => {} })));
    }
  });
});
