import type { Handler } from "dray/http";
import { type Digest, digestOf } from "dray/oci";
import type { Registry } from "../../src/registry.ts";
import { expect } from "./client.ts";
import { type Content, filled, image, index } from "./content.ts";
import type { History, State, Thing } from "./history.ts";

const layer = filled(500, 1);
const long = filled(150_000, 2);
const shared = filled(90_000, 3);
const a = image("a", [layer, long]);
const b = image("b", [layer]);
const c = image("c", [long]);
const d = image("d", [filled(70_000, 4)], { silent: true });
const multi = index([c, d]);
const note = image("note", [filled(30, 5)], { subject: c });
const long512 = image("long digest", [layer], { algorithm: "sha512" });
const e = image("e", [shared, filled(20, 6)]);
const f = image("f", [filled(20, 7), shared]);

/** All that is ever pushed. */
export const contents: readonly Content[] = [a, b, c, d, multi, note, long512, e, f];

const tag = (repository: string, name: string): Thing => ({ kind: "tag", repository, name });
const manifest = (repository: string, { digest }: Content): Thing => ({ kind: "manifest", repository, name: digest });
const blob = (repository: string, bytes: Uint8Array): Thing => ({ kind: "blob", repository, name: digestOf(bytes) });

/** Clients of a registry, writing down what they ask for and what they are told. */
export class Clients {
  readonly #handler: Handler;
  readonly #history: History;

  constructor(handler: Handler, history: History) {
    this.#handler = handler;
    this.#history = history;
  }

  /** Each way by which bytes come in, by their length. */
  async blob(repository: string, bytes: Uint8Array): Promise<void> {
    const digest = digestOf(bytes);
    const uploads = `/v2/${repository}/blobs/uploads/`;
    const { status } = await expect(this.#handler, `HEAD /v2/${repository}/blobs/${digest}`, [200, 404]);
    if (status === 200) return;
    await this.#change([[blob(repository, bytes), digest]], async () => {
      if (bytes.byteLength < 100)
        return expect(this.#handler, `POST ${uploads}?digest=${digest}`, [201], { body: bytes });
      const begun = await expect(this.#handler, `POST ${uploads}`, [202]);
      const at = begun.header("Location") as string;
      if (bytes.byteLength < 100_000)
        return expect(this.#handler, `PUT ${at}?digest=${digest}`, [201], { body: bytes });
      const half = bytes.byteLength >> 1;
      await expect(this.#handler, `PATCH ${at}`, [202], { body: bytes.subarray(0, half) });
      await expect(this.#handler, `PATCH ${at}`, [202], { body: bytes.subarray(half) });
      return expect(this.#handler, `PUT ${at}?digest=${digest}`, [201]);
    });
  }

  async mount(repository: string, from: string, bytes: Uint8Array): Promise<void> {
    const digest = digestOf(bytes);
    const line = `POST /v2/${repository}/blobs/uploads/?mount=${digest}&from=${from}`;
    await this.#change([[blob(repository, bytes), digest]], () => expect(this.#handler, line, [201]));
  }

  async push(repository: string, content: Content, tags: readonly string[] = []): Promise<void> {
    for (const child of content.manifests) await this.push(repository, child);
    for (const bytes of content.blobs) await this.blob(repository, bytes);
    const { digest, type, bytes } = content;
    const changes = [
      [manifest(repository, content), digest] as const,
      ...tags.map((name) => [tag(repository, name), digest] as const),
    ];
    const [first, second] = tags;
    const name =
      first === undefined || second !== undefined || digest.startsWith("sha512:")
        ? `${digest}?${tags.map((each) => `tag=${each}`).join("&")}`
        : first;
    await this.#change(changes, () =>
      expect(this.#handler, `PUT /v2/${repository}/manifests/${name}`, [201], { body: bytes, type }),
    );
  }

  async remove(repository: string, content: Content, tags: readonly string[]): Promise<void> {
    const changes = [manifest(repository, content), ...tags.map((name) => tag(repository, name))];
    await this.#change(
      changes.map((thing) => [thing, undefined]),
      () => expect(this.#handler, `DELETE /v2/${repository}/manifests/${content.digest}`, [202, 404]),
    );
  }

  async untag(repository: string, name: string): Promise<void> {
    const line = `DELETE /v2/${repository}/manifests/${name}`;
    await this.#change([[tag(repository, name), undefined]], () => expect(this.#handler, line, [202, 404]));
  }

  /** These may go from now on, and never have to. */
  mayGo(repository: string, gone: readonly Content[]): void {
    const things = gone.flatMap((content) => [
      manifest(repository, content),
      ...content.blobs.map((bytes) => blob(repository, bytes)),
    ]);
    this.#history.begin(things.map((thing) => [thing, undefined]));
  }

  async #change(changes: readonly (readonly [Thing, State])[], work: () => Promise<unknown>): Promise<void> {
    const acknowledge = this.#history.begin(changes);
    await work();
    acknowledge();
  }
}

/**
 * Pushes, retags, mounts, deletes and garbage collection, one after the other, and in the end side by side. Steps are apart so that a
 * client who is refused can try one again.
 */
export const scenario = (
  registry: Registry,
  clients: Clients,
): readonly (readonly [name: string, step: () => Promise<void>])[] => [
  ["push a", () => clients.push("app", a, ["latest"])],
  ["tag a", () => clients.push("app", a, ["old", "older"])],
  ["push b", () => clients.push("app", b, ["v2"])],
  ["retag", () => clients.push("app", b, ["latest"])],
  ["mount", () => clients.mount("team/other", "app", long)],
  ["push an index", () => clients.push("team/other", multi, ["multi"])],
  ["push a referrer", () => clients.push("team/other", note)],
  ["push by sha512", () => clients.push("team/other", long512, ["long"])],
  ["delete a", () => clients.remove("app", a, ["old", "older"])],
  ["delete a tag", () => clients.untag("app", "v2")],
  ["tag a child", () => clients.push("team/other", c, ["multi"])],
  [
    "collect",
    async () => {
      clients.mayGo("app", [{ ...a, blobs: a.blobs.filter((bytes) => bytes !== layer) }]);
      clients.mayGo("team/other", [multi, d]);
      await registry.collect({ grace: 0, lease: 0, untagged: 0 });
    },
  ],
  ["push a again", () => clients.push("app", a, ["latest"])],
  [
    "two pushes, a deletion and a collection side by side",
    async () => {
      clients.mayGo("app", [{ ...b, blobs: b.blobs.filter((bytes) => bytes !== layer) }]);
      await Promise.all([
        clients.push("app", e, ["e"]),
        clients.push("app", f, ["f"]),
        clients.remove("team/other", long512, ["long"]),
        registry.collect({ grace: 0, untagged: 0 }),
      ]);
    },
  ],
];

/** What a repository's digest may be asked for. */
export const digestsOf = (content: Content): readonly Digest[] => [
  content.digest,
  ...content.blobs.map((bytes) => digestOf(bytes)),
];
