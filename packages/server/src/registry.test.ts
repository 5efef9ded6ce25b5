import assert from "node:assert/strict";
import { test } from "node:test";
import { DrayError } from "dray/errors";
import { digestOf, encodeJson, mediaTypes } from "dray/oci";
import { expect } from "../test/crash/client.ts";
import { blobPath } from "./distribution-tree/index.ts";
import { createRegistry } from "./registry.ts";
import { memoryDriver } from "./storage/index.ts";

test("nothing is kept of names that anybody asks for and nobody has", async () => {
  const registry = createRegistry({ driver: memoryDriver() });
  for (let i = 0; i < 50; i++) {
    await expect(registry, `GET /v2/none/${i}/tags/list`, [404]);
    await expect(registry, `GET /v2/none/${i}/referrers/sha256:${"0".repeat(64)}`, [200]);
    await expect(registry, `GET /v2/none/${i}/manifests/latest`, [404]);
    await expect(registry, `DELETE /v2/none/${i}/manifests/latest`, [404]);
    await expect(registry, `DELETE /v2/none/${i}/manifests/sha256:${"0".repeat(64)}`, [404]);
  }
  const { lists, manifests, reconciler } = registry.context;
  assert.equal(reconciler.repositories.changes.size, 0);
  assert.equal(lists.bytes + manifests.bytes, 0);
  await registry.close();
});

test("a page of referrers has less than 4 MiB and costs no more memory, however large their annotations are", async () => {
  const registry = createRegistry({ driver: memoryDriver() });
  const subject = { mediaType: mediaTypes.ociManifest, digest: `sha256:${"0".repeat(64)}`, size: 2 };
  const type = mediaTypes.ociIndex;
  for (let i = 0; i < 24; i++) {
    const annotations = { text: `${i}`.padEnd(700_000, "ä") };
    const body = encodeJson({ schemaVersion: 2, mediaType: type, manifests: [], subject, annotations });
    await expect(registry, `PUT /v2/a/manifests/${digestOf(body)}`, [201], { body, type });
  }
  const { metadata } = registry.context;
  const ask = metadata.referrers.bind(metadata);
  let read = 0;
  metadata.referrers = (...question) => {
    const found = ask(...question);
    read += found.length;
    return found;
  };
  let [pages, all] = [0, new Set<string>()];
  for (let target: string | undefined = `/v2/a/referrers/${subject.digest}`; target !== undefined; pages++) {
    read = 0;
    const answer = await expect(registry, `GET ${target}`, [200]);
    const { bytes } = answer;
    assert.ok(bytes.byteLength < 4 * 1024 * 1024 && read <= 7, `${bytes.byteLength} bytes of ${read}`);
    for (const { digest } of JSON.parse(new TextDecoder().decode(bytes)).manifests as { digest: string }[])
      all.add(digest);
    target = /<(.*)>/.exec(answer.header("Link") ?? "")?.[1];
  }
  assert.equal(all.size, 24);
  assert.ok(pages > 10);
  await registry.close();
});

test("hundreds of thousands of annotations are taken apart by no thread that answers others", async () => {
  const registry = createRegistry({ driver: memoryDriver() });
  const subject = { mediaType: mediaTypes.ociManifest, digest: `sha256:${"0".repeat(64)}`, size: 2 };
  const type = mediaTypes.ociIndex;
  const many = Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`k${i}`, "ä\n"]));
  const bodies = ["a", "b"].map((own) => {
    const annotations = { ...many, own };
    return encodeJson({ schemaVersion: 2, mediaType: type, manifests: [], subject, annotations });
  });
  const { parse, stringify } = JSON;
  let longest = 0;
  const seen = (text: string): void => {
    longest = Math.max(longest, text.length);
  };
  const heard = {
    parse: (...question: Parameters<typeof parse>) => {
      seen(question[0]);
      return parse(...question);
    },
    stringify: (...question: Parameters<typeof stringify>) => {
      const text = stringify(...question);
      seen(text ?? "");
      return text;
    },
  };
  let listed: Uint8Array;
  Object.assign(JSON, heard);
  try {
    for (const body of bodies) await expect(registry, `PUT /v2/a/manifests/${digestOf(body)}`, [201], { body, type });
    listed = (await expect(registry, `GET /v2/a/referrers/${subject.digest}`, [200])).bytes;
    for (const body of bodies) await expect(registry, `DELETE /v2/a/manifests/${digestOf(body)}`, [202]);
  } finally {
    Object.assign(JSON, { parse, stringify });
  }
  const { manifests } = parse(new TextDecoder().decode(listed)) as { manifests: { annotations: { own: string } }[] };
  assert.deepEqual(manifests.map(({ annotations: { own } }) => own).toSorted(), ["a", "b"]);
  assert.deepEqual(manifests[0]?.annotations, { ...many, own: manifests[0]?.annotations.own });
  assert.ok(longest < 10_000, `${longest} characters`);
  await registry.close();
});

test("schema 1 of an old volume is signed, under the digest of what is stored, and HEAD tells the size that GET has", async () => {
  const registry = createRegistry({ driver: memoryDriver() });
  const { tree } = registry.context;
  const stored = encodeJson({ schemaVersion: 1, name: "old", tag: "v1", fsLayers: [], history: [] });
  const digest = digestOf(stored);
  await tree.writeBlob(digest, stored);
  await tree.linkRevision("old", digest);
  await tree.setTag("old", "v1", digest);
  for (const name of ["v1", digest]) {
    const answer = await expect(registry, `GET /v2/old/manifests/${name}`, [200]);
    assert.equal(answer.header("Content-Type"), mediaTypes.dockerSchema1Signed);
    assert.equal(answer.header("Docker-Content-Digest"), digest);
    const { signatures, ...rest } = JSON.parse(new TextDecoder().decode(answer.bytes));
    assert.equal(signatures.length, 1);
    assert.deepEqual(rest, JSON.parse(new TextDecoder().decode(stored)));
    const { formatLength, formatTail } = JSON.parse(Buffer.from(signatures[0].protected, "base64url").toString());
    const payload = Buffer.concat([answer.bytes.subarray(0, formatLength), Buffer.from(formatTail, "base64url")]);
    assert.equal(digestOf(payload), digest);
    const head = await expect(registry, `HEAD /v2/old/manifests/${name}`, [200]);
    assert.equal(head.header("Content-Length"), String(answer.bytes.byteLength));
  }
  await registry.close();
});

test("what a revision leads to is not read into memory if no manifest can be so large", async () => {
  const driver = memoryDriver();
  const notices: string[] = [];
  const registry = createRegistry({ driver, onNotice: ({ message }) => notices.push(message) });
  const body = new Uint8Array(16 * 1024 * 1024 + 1);
  const digest = digestOf(body);
  const { tree } = registry.context;
  await tree.writeBlob(digest, body);
  await tree.linkRevision("a", digest);
  const read = driver.read.bind(driver);
  driver.read = (path) => (path === blobPath(digest) ? assert.fail("it was read") : read(path));
  await expect(registry, `GET /v2/a/manifests/${digest}`, [404]);
  assert.match(notices.join(), /damaged/);
  await registry.close();
});

test("read-only from a moment on: what was on its way then is refused, and goes on later", async () => {
  const registry = createRegistry({ driver: memoryDriver() });
  const body = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] });
  const digest = digestOf(body);
  const switched = async function* (): AsyncGenerator<Uint8Array> {
    yield body.slice(0, 10);
    registry.setReadOnly(true);
    yield body.slice(10);
  };
  const send = async (method: string, target: string): Promise<number> => {
    const chunks = switched();
    const request = { method, target, origin: "http://registry.test", headers: [] };
    return (await registry({ ...request, body: { chunks, discard: async () => {} } })).status;
  };
  const session = (await expect(registry, "POST /v2/a/blobs/uploads/", [202])).header("Location") ?? "";
  const writes = [
    ["PUT", `${session}?digest=${digest}`],
    ["POST", `/v2/a/blobs/uploads/?digest=${digest}`],
    ["PUT", "/v2/a/manifests/latest"],
  ] as const;
  for (const [method, target] of writes) {
    assert.equal(await send(method, target), 405, method);
    for (const path of [`blobs/${digest}`, "manifests/latest"]) await expect(registry, `GET /v2/a/${path}`, [404]);
    registry.setReadOnly(false);
  }
  await expect(registry, `PUT ${session}?digest=${digest}`, [201]);
  await registry.close();
});

test("a look at a blob writes nothing while the registry is read-only, and needs no disk that can be written", async () => {
  const driver = memoryDriver();
  const registry = createRegistry({ driver });
  const body = new Uint8Array(100);
  const path = `/v2/a/blobs/${digestOf(body)}`;
  await expect(registry, `POST /v2/a/blobs/uploads/?digest=${digestOf(body)}`, [201], { body });
  let touched = 0;
  driver.touch = () => {
    touched++;
    return Promise.reject(new DrayError("DISK", "a read-only file system"));
  };
  await expect(registry, `HEAD ${path}`, [200]);
  assert.equal(touched, 1);
  registry.setReadOnly(true);
  await expect(registry, `HEAD ${path}`, [200]);
  assert.equal(touched, 1);
  await registry.close();
});

// Registry 2.1.0 had them there, and every later 2.x of distribution looks there as well.
test("a manifest whose link lies among those of layers is served, by tag and digest; no other layer is one", async () => {
  const driver = memoryDriver();
  const registry = createRegistry({ driver, recheckAfter: 0 });
  const { tree } = registry.context;
  const config = encodeJson({ architecture: "amd64", config: {}, rootfs: { type: "layers", diff_ids: [] } });
  const described = { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.byteLength };
  const body = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: described, layers: [] });
  for (const bytes of [config, body]) {
    await tree.writeBlob(digestOf(bytes), bytes);
    await tree.linkLayer("a", digestOf(bytes));
  }
  await tree.setTag("a", "v1", digestOf(body));
  for (const name of ["v1", digestOf(body)]) {
    const answer = await expect(registry, `GET /v2/a/manifests/${name}`, [200]);
    assert.equal(answer.header("Content-Type"), mediaTypes.ociManifest);
    assert.deepEqual(answer.bytes, body);
    await expect(registry, `HEAD /v2/a/manifests/${name}`, [200]);
  }
  await expect(registry, `GET /v2/a/manifests/${digestOf(config)}`, [404]);
  await expect(registry, `GET /v2/b/manifests/${digestOf(body)}`, [404]);
  await registry.close();
});
