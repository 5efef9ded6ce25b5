import type { JsonChange } from "../../content/index.ts";
import type { Descriptor } from "../../oci/index.ts";
import type { Change, ImageChange } from "../edit.ts";

/**
 * Several changes as one, in their order: each document passes through all of them. They are asked about the image as it was; of layers
 * those of the last change count that has some.
 * @example await edit(view, allOf(configured({ user: "1000" }), annotated({ "org.example.team": "a" })));
 */
export const allOf = (...changes: readonly Change[]): Change => ({
  fault: (view) => changes.map(({ fault }) => fault?.(view)).find((fault) => fault !== undefined),
  image: changes.every(({ image }) => image === undefined)
    ? undefined
    : async (image, place) => {
        const asked: ImageChange[] = [];
        for (const { image: change } of changes) {
          const one = await change?.(image, place);
          if (one !== undefined) asked.push(one);
        }
        if (asked.length === 0) return undefined;
        return {
          config: chained(asked.map(({ config }) => config)),
          manifest: chained(asked.map(({ manifest }) => manifest)),
          entry: chained(asked.map(({ entry }) => entry)),
          layers: asked.findLast(({ layers }) => layers !== undefined)?.layers,
          elsewhere: new Map(asked.flatMap(({ elsewhere = [] }) => [...elsewhere])),
        };
      },
  entries: changes.every(({ entries }) => entries === undefined)
    ? undefined
    : async (view, options) => {
        const asked: ReadonlySet<Descriptor>[] = [];
        for (const { entries } of changes) if (entries !== undefined) asked.push(await entries(view, options));
        const { manifests } = await view.index();
        return new Set(manifests.filter((entry) => asked.every((staying) => staying.has(entry))));
      },
  index: (document, place) => changes.reduce((after, { index }) => index?.(after, place) ?? after, document),
});

const chained = (changes: readonly (JsonChange | undefined)[]): JsonChange | undefined => {
  const given = changes.filter((change) => change !== undefined);
  return given.length === 0 ? undefined : (document) => given.reduce((after, change) => change(after), document);
};
