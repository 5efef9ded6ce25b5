import { type Content, checked, type ReadableStore } from "../../content/index.ts";
import { DrayError } from "../../errors.ts";
import type { Digest } from "../../oci/index.ts";

/** A store of content that lies where its caller has it: read each time it is asked for, and checked. What it lacks is read from `below`. */
export const heldContent = (contents: ReadonlyMap<Digest, Content>, below?: ReadableStore): ReadableStore => ({
  resolve: async (name) => {
    throw new DrayError("NOT_FOUND", `memory: there is no "${name}"`, { reference: name });
  },
  read: async function* (descriptor, options = {}) {
    const { digest } = descriptor;
    const content = contents.get(digest);
    const { offset, signal } = options;
    if (content !== undefined) yield* checked(content.open({ offset, signal }), descriptor, options, (error) => error);
    else if (below !== undefined) yield* below.read(descriptor, options);
    else throw new DrayError("NOT_FOUND", `memory: there is no ${digest}`, { reference: digest });
  },
});
