import type { Ingests, Selection, WritableStore } from "../content/index.ts";
import { defined } from "../defined.ts";
import type { PushedLayer } from "../image/index.ts";
import type { Descriptor } from "../oci/index.ts";
import type { Blobs } from "./blobs.ts";
import type { Run } from "./run.ts";
import type { SourceGraph } from "./source-graph.ts";

/**
 * The form in which a root is pushed: layers that have to be compressed are put into the target, and the root names them so. What has to change
 * nowhere stays the root that it was.
 */
export const inPushForm = async (
  selection: Selection,
  target: WritableStore & Ingests,
  { run, graph, blobs }: { readonly run: Run; readonly graph: SourceGraph; readonly blobs: Blobs },
): Promise<Selection> => {
  const { store: source, root, trimmed } = selection;
  if (run.options.skip?.(root)) return selection;
  const { compressLayer, gzipTypeOf, pushForm, viewOfLoaded } = await import("../image/index.ts");
  const loaded = selection.loaded ?? (await graph.load(source, root, 0));
  const estargz = run.options.layers === "estargz" ? {} : undefined;
  const how = defined({ signal: run.signal, onEvent: run.emit, estargz });
  const compress = async (layer: Descriptor): Promise<PushedLayer> => {
    if (run.options.skip?.(layer) || (await graph.leavesOut(source, layer))) return layer;
    const known = blobs.compressed(target, layer.digest);
    if (known !== undefined)
      return defined<PushedLayer>({
        ...layer,
        ...known,
        mediaType: gzipTypeOf(layer.mediaType),
        annotations: known.annotations && { ...layer.annotations, ...known.annotations },
      });
    return blobs.make({ source, target }, layer, () => compressLayer(source, target, layer, how));
  };
  const made = await pushForm(viewOfLoaded(source, loaded), (layer) => run.cancelling(compress(layer)), how).catch(
    (error: unknown) => {
      throw run.firstCause(error);
    },
  );
  return made.root === root ? { ...selection, loaded } : { store: made.store, root: made.root, trimmed };
};
