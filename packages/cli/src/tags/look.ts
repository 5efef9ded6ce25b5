import { collect, loadManifest, type ReadableStore } from "dray/content";
import { Lazy } from "dray/internal/async";
import { type Descriptor, isConfigType, isObject, largestManifest, type ParsedManifest, parseJson } from "dray/oci";

/** An image that is looked into: its manifest, and the rest when somebody asks for it. */
export interface Look {
  readonly parsed: ParsedManifest;
  /** Of an index that of the first image in it; `undefined` for what is no image. */
  readonly config: () => Promise<Readonly<Record<string, unknown>> | undefined>;
  /** The first image in an index. */
  readonly first: () => Promise<Look | undefined>;
}

/** The first entry of an index that is an image. */
export const firstImage = (parsed: ParsedManifest): Descriptor | undefined =>
  parsed.kind === "index" ? parsed.index.manifests.find(({ platform }) => platform?.os !== "unknown") : undefined;

/** @throws DrayError where the manifest cannot be read */
export const lookInto = async (store: ReadableStore, descriptor: Descriptor, signal: AbortSignal): Promise<Look> => {
  const { parsed } = await loadManifest(store, descriptor, { signal });
  const [config, child] = [new Lazy<Awaited<ReturnType<Look["config"]>>>(), new Lazy<Look | undefined>()];
  const first = (): Promise<Look | undefined> =>
    child.get(async () => {
      const entry = firstImage(parsed);
      return entry === undefined ? undefined : lookInto(store, entry, signal);
    });
  return {
    parsed,
    first,
    config: () =>
      config.get(async () => (parsed.kind === "index" ? (await first())?.config() : readConfig(store, parsed, signal))),
  };
};

const readConfig = async (
  store: ReadableStore,
  parsed: ParsedManifest,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>> | undefined> => {
  if (parsed.kind !== "manifest") return undefined;
  const { config } = parsed.manifest;
  if (!isConfigType(config.mediaType)) return undefined;
  const bytes = await collect(store.read(config, { signal }), largestManifest, "configuration");
  const document = parseJson(bytes, "configuration");
  return isObject(document) ? document : undefined;
};
