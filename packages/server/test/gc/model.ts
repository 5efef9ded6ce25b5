import { type Digest, type DigestAlgorithm, digestOf, encodeJson, mediaTypes } from "dray/oci";
import fc from "fast-check";
import {
  blobPath,
  currentLink,
  historyLink,
  layerFolder,
  revisionFolder,
  revisionsPath,
} from "../../src/distribution-tree/index.ts";
import type { MemoryFiles } from "../../src/storage/index.ts";

/** A registry on paper, for tests: what lies where, how old it is, and what garbage collection should make of it. */
export interface GcModel {
  readonly grace: number;
  readonly untagged: number | undefined;
  readonly pool: ReadonlyMap<Digest, { readonly bytes: Uint8Array; readonly age: number }>;
  readonly manifests: ReadonlyMap<Digest, ModelManifest>;
  readonly repositories: ReadonlyMap<string, Place>;
}

interface ModelManifest {
  readonly children: readonly Digest[];
  readonly subject: Digest | undefined;
  readonly readable: boolean;
}

/** `to`: the digest in the link. */
interface Link {
  readonly to: Digest;
  readonly age: number;
}

interface Place {
  readonly layers: Map<Digest, Link>;
  readonly revisions: Map<Digest, Link>;
  readonly tags: Map<string, Digest>;
  /** What each tag ever stood for, and how long ago it was last set to it. */
  readonly history: Map<string, Map<Digest, number>>;
  readonly leases: Set<Digest>;
  readonly uploading: boolean;
}

const ages = fc.constantFrom(0, 50, 100, 101, 200, 400, 5000);
const algorithms = fc.constantFrom<DigestAlgorithm>("sha256", "sha256", "sha512");
const kinds = fc.constantFrom("image", "image", "index", "index");
const oddKinds = fc.constantFrom("image", "index", "broken", "missing", "damaged", "schema1");
const subjects = fc.constantFrom("none", "none", "earlier", "child", "nowhere");
const names = ["one", "one/two", "three"];

/** @param odd whether manifests may be unreadable, which keeps most things */
export const anyModel = (g: fc.GeneratorValue, { odd = false }: { odd?: boolean } = {}): GcModel => {
  const yes = (): boolean => g(fc.boolean);
  const some = <T>(list: readonly T[], most: number): T[] =>
    list.length === 0 ? [] : g(() => fc.subarray([...list], { maxLength: Math.min(most, list.length) }));
  const pool = new Map<Digest, { bytes: Uint8Array; age: number }>();
  const targets = new Map<Digest, Digest>();
  const store = (bytes: Uint8Array, as: Digest): void => void pool.set(as, { bytes, age: g(() => ages) });
  /** Also under another name, as distribution does it. */
  const name = (bytes: Uint8Array): { digest: Digest; to: Digest } => {
    const to = digestOf(
      bytes,
      g(() => algorithms),
    );
    const digest = to.startsWith("sha256:") && g(fc.nat, { max: 4 }) === 0 ? digestOf(bytes, "sha512") : to;
    targets.set(to, to);
    targets.set(digest, to);
    return { digest, to };
  };

  const blobs: Digest[] = [];
  for (let i = g(fc.nat, { max: 5 }); i > 0; i--) {
    const bytes = new TextEncoder().encode(`blob ${i}`);
    const { digest, to } = name(bytes);
    if (g(fc.nat, { max: 5 }) > 0) store(bytes, to);
    blobs.push(...new Set([digest, to]));
  }

  const manifests = new Map<Digest, ModelManifest>();
  const count = g(fc.nat, { max: 7 });
  for (let i = 0; i < count; i++) {
    const kind = g(() => (odd ? oddKinds : kinds));
    const earlier = [...manifests.keys()];
    const children = kind === "index" ? [...some(earlier, 3), ...some(blobs, 1)] : some(blobs, 3);
    const which = g(() => subjects);
    const subject =
      which === "nowhere" ? nowhere : some(which === "child" ? children : which === "earlier" ? earlier : [], 1)[0];
    const bytes = bytesOf(kind, i, children, subject);
    const { digest, to } = name(bytes);
    if (kind !== "missing") store(kind === "damaged" ? new Uint8Array([1]) : bytes, to);
    manifests.set(digest, {
      children: kind === "image" || kind === "index" || kind === "schema1" ? children : [],
      subject: kind === "image" || kind === "index" ? subject : undefined,
      readable: kind === "image" || kind === "index",
    });
  }

  const link = (digest: Digest): [Digest, Link] => [digest, { to: targets.get(digest) ?? digest, age: g(() => ages) }];
  const repositories = new Map<string, Place>();
  const all = [...manifests.keys()];
  const top = all.filter((digest) => ![...manifests.values()].some(({ children }) => children.includes(digest)));
  const history = (): Map<Digest, number> => new Map(some(all, 3).map((digest) => [digest, g(() => ages)]));
  for (const repository of names.slice(0, g(fc.nat, { max: 2 }) + 1))
    repositories.set(repository, {
      // Those that no other refers to may be linked where registry 2.1.0 put them.
      layers: new Map([...blobs.filter(yes), ...some(top, 1)].map(link)),
      revisions: new Map(all.filter(() => g(fc.nat, { max: 3 }) > 0).map(link)),
      tags: new Map(some(all, 2).map((digest, i) => [`tag${i}`, digest])),
      history: new Map(["tag0", "tag1"].map((tag) => [tag, history()])),
      leases: new Set(g(fc.nat, { max: 3 }) === 0 ? some([...blobs, ...all], 2) : []),
      uploading: g(fc.nat, { max: 12 }) === 0,
    });
  const grace = g(() => fc.constantFrom(0, 100, 300));
  return { grace, untagged: g(() => fc.constantFrom(undefined, 0, 100, 350)), pool, manifests, repositories };
};

const nowhere: Digest = digestOf(new TextEncoder().encode("nowhere"));

const bytesOf = (
  kind: string,
  number: number,
  children: readonly Digest[],
  subject: Digest | undefined,
): Uint8Array => {
  const described = (digest: Digest, mediaType: string) => ({ mediaType, digest, size: 1 });
  const shared = {
    schemaVersion: 2,
    ...(subject === undefined ? {} : { subject: described(subject, mediaTypes.ociManifest) }),
    annotations: { number: String(number) },
  };
  const [config = nowhere, ...layers] = children;
  switch (kind) {
    case "index": {
      const list = children.map((child) => described(child, mediaTypes.ociManifest));
      return encodeJson({ ...shared, mediaType: mediaTypes.ociIndex, manifests: list });
    }
    case "schema1":
      return encodeJson({ schemaVersion: 1, name: String(number), fsLayers: children.map((blobSum) => ({ blobSum })) });
    case "broken":
      return new TextEncoder().encode(`no manifest ${number}`);
    default:
      return encodeJson({
        ...shared,
        mediaType: mediaTypes.ociManifest,
        config: described(config, "application/vnd.example.config"),
        layers: layers.map((layer) => described(layer, "application/vnd.example.layer")),
      });
  }
};

/** Puts a model into a driver. */
export const build = ({ pool, repositories }: GcModel, files: MemoryFiles, now: number): void => {
  // Where there is not one repository nothing is swept: this one has nothing, and needs nothing.
  files.putSync(`${revisionsPath("bystander")}/README`, new Uint8Array(1));
  const put = (path: string, content: Uint8Array | string, age: number): void =>
    files.putSync(path, typeof content === "string" ? new TextEncoder().encode(content) : content, {
      mtime: now - age,
    });
  for (const [digest, { bytes, age }] of pool) put(blobPath(digest), bytes, age);
  for (const [repository, { layers, revisions, tags, history }] of repositories) {
    for (const [digest, { to, age }] of layers) put(`${layerFolder(repository, digest)}/link`, to, age);
    for (const [digest, { to, age }] of revisions) put(`${revisionFolder(repository, digest)}/link`, to, age);
    for (const [tag, digest] of tags) {
      const past = history.get(tag) ?? new Map<Digest, number>();
      put(currentLink(repository, tag), digest, past.get(digest) ?? 5000);
      for (const [before, age] of past) put(historyLink(repository, tag, before), before, age);
    }
  }
};

/** Paths of the files that garbage collection should remove. Simple and slow, from the words of the task. */
export const garbageOf = (model: GcModel): string[] => {
  const { grace, pool, manifests, repositories } = model;
  const paths: string[] = [];
  const staying = new Map<string, Place & Rooted>();
  for (const [repository, place] of repositories) {
    const rooted = rootedIn(model, place);
    const stays = ([digest]: [Digest, Link]): boolean => revisionStays(model, place, rooted, digest);
    const revisions = new Map([...place.revisions].filter(stays));
    const holds = rooted.holds || [...place.revisions.keys()].some((of) => manifests.get(of)?.readable !== true);
    const same = (a: Digest, b: Digest): boolean =>
      a === b || place.layers.get(a)?.to === b || place.layers.get(b)?.to === a;
    const layers = new Map(
      [...place.layers].filter(
        ([digest, { age }]) =>
          holds ||
          place.uploading ||
          age <= grace ||
          [...rooted.kept].some((kept) => same(kept, digest)) ||
          [...revisions.keys()].some((of) => manifests.get(of)?.children.some((child) => same(child, digest))) ||
          [...place.leases].some((leased) => same(leased, digest)),
      ),
    );
    staying.set(repository, { ...place, ...rooted, revisions, layers });
    for (const digest of place.revisions.keys())
      if (!revisions.has(digest)) paths.push(`${revisionFolder(repository, digest)}/link`);
    for (const digest of place.layers.keys())
      if (!layers.has(digest)) paths.push(`${layerFolder(repository, digest)}/link`);
  }
  for (const [digest, { age }] of pool) {
    const isUsed = [...staying.values()].some(
      ({ revisions, layers, leases, kept }) =>
        leases.has(digest) ||
        kept.has(digest) ||
        [...revisions, ...layers].some(([name, { to }]) => name === digest || to === digest) ||
        [...revisions.keys()].some((of) => manifests.get(of)?.children.includes(digest)),
    );
    if (!isUsed && age > grace) paths.push(blobPath(digest));
  }
  return paths.sort();

  function revisionStays(
    { untagged }: GcModel,
    place: Place,
    rooted: Rooted,
    digest: Digest,
    seen: readonly Digest[] = [],
  ): boolean {
    if (untagged === undefined || [...place.revisions.keys()].some((other) => manifests.get(other)?.readable !== true))
      return true;
    if (rooted.holds || rooted.kept.has(digest)) return true;
    if ([...place.tags.values()].includes(digest) || place.leases.has(digest)) return true;
    const age = Math.min(place.revisions.get(digest)?.age ?? 0, pool.get(digest)?.age ?? Number.POSITIVE_INFINITY);
    if (Math.min(age, leftAge(place, digest)) <= Math.max(untagged, grace)) return true;
    return [...place.revisions.keys()].some(
      (holder) =>
        !seen.includes(holder) &&
        (manifests.get(holder)?.children.includes(digest) || manifests.get(digest)?.subject === holder) &&
        revisionStays(model, place, rooted, holder, [...seen, digest]),
    );
  }
};

interface Rooted {
  /** Manifests that tags name or that lie among the layers, and are no revisions, with all that they need. */
  readonly kept: ReadonlySet<Digest>;
  /** Something among them cannot be read. */
  readonly holds: boolean;
}

const rootedIn = ({ pool, manifests }: GcModel, { tags, revisions, layers }: Place): Rooted => {
  const kept = new Set<Digest>();
  const keep = (digest: Digest): void => {
    kept.add(digest);
    const to = layers.get(digest)?.to;
    if (to !== undefined) kept.add(to);
  };
  /** Tells whether nobody knows what it needs. */
  const walk = (digest: Digest, data: Digest): boolean => {
    keep(digest);
    const { children = [], readable = false } = pool.has(data) ? (manifests.get(digest) ?? {}) : {};
    if (pool.has(data) && !isDamaged(pool.get(data)?.bytes)) for (const child of children) keep(child);
    // Whatever an index of the model names it calls a manifest.
    const isIndex = readable && new TextDecoder().decode(pool.get(data)?.bytes).includes("image.index");
    const below = isIndex ? children.filter((child) => !revisions.has(child) && pool.has(child)) : [];
    return below.map((child) => walk(child, child)).some((unknown) => unknown) || !readable;
  };
  const named = [...tags.values()].filter((digest) => !revisions.has(digest));
  const roots = named.map((digest): [Digest, Digest] => [digest, layers.get(digest)?.to ?? digest]);
  for (const [digest, { to }] of layers)
    if (manifests.has(digest) && isManifestText(pool.get(to)?.bytes)) roots.push([digest, to]);
  const unknown = roots.filter(([digest, data]) => walk(digest, data));
  return { kept, holds: unknown.length > 0 };
};

const isDamaged = (bytes: Uint8Array | undefined): boolean => bytes?.byteLength === 1;
const isManifestText = (bytes: Uint8Array | undefined): boolean =>
  new TextDecoder().decode(bytes).includes("schemaVersion");

/** How long ago the last tag left a manifest, by the tags' histories. */
const leftAge = ({ tags, history }: Place, digest: Digest): number => {
  const left = [...history].flatMap(([tag, ages]) => {
    const own = tags.has(tag) ? ages.get(digest) : undefined;
    if (own === undefined) return [];
    const later = [...ages.values()].filter((age) => age < own);
    const current = ages.get(tags.get(tag) as Digest) ?? 5000;
    return [later.length > 0 ? Math.max(...later) : Math.min(own, current)];
  });
  return Math.min(...left, Number.POSITIVE_INFINITY);
};

/** Every file, by path. Directories without any are passed over. */
export const filesOf = (files: MemoryFiles, path = "docker"): string[] => {
  const inside = files.listSync(path);
  return inside === undefined ? [path] : inside.flatMap((entry) => filesOf(files, `${path}/${entry}`)).sort();
};
