import type { Cancel } from "../content/index.ts";
import { bare, type Descriptor } from "../oci/index.ts";
import type { LayoutGraph } from "./graph.ts";

/** What says something about a subject, among these manifests and those below them. */
export async function* referrersIn(
  graph: LayoutGraph,
  entries: readonly Descriptor[],
  subject: Descriptor,
  { artifactType, ...options }: Cancel & { artifactType?: string },
): AsyncGenerator<Descriptor> {
  for await (const { descriptor, facts } of graph.below(entries, options)) {
    const { subject: about, artifactType: type, annotations } = facts;
    if (about !== subject.digest || (artifactType !== undefined && type !== artifactType)) continue;
    yield {
      ...bare(descriptor),
      ...(type === undefined ? {} : { artifactType: type }),
      ...(annotations === undefined ? {} : { annotations }),
    };
  }
}
