import { describes } from "dray/content";
import { DrayError, isDrayError } from "dray/errors";
import { parseLocation } from "dray/locations";
import type { Act, Define } from "../context.ts";
import { elsewhere, isManifestOf, openedToRead } from "../images.ts";

export const define: Define = (command) => command.argument("<blob>", "REPOSITORY@DIGEST");

export const examples: readonly string[] = ["dray blob alpine@sha256:… > layer.tar.gz"];

/** The bytes as the registry has them. A wrong digest shows only at the end, as an error. */
export const act: Act = async (call, [blob = ""]) => {
  const location = parseLocation(blob);
  const digest = location.kind === "registry" ? location.reference.digest : undefined;
  if (digest === undefined)
    throw new DrayError("REFERENCE_INVALID", `blob "${blob}": expected REPOSITORY@DIGEST`, { reference: blob });
  const { store } = await openedToRead(call, blob);
  if (!describes(store)) throw new DrayError("UNSUPPORTED", `${blob}: cannot be asked for a single blob`);
  const { signal } = call;
  const options = { kind: "blob" as const, signal, onEvent: call.reporter.onEvent };
  const found = await store.describe(digest, { signal }).catch(async (error: unknown) => {
    const isThere = isDrayError(error, "NOT_FOUND") && (await isManifestOf(store, digest, signal));
    throw isThere ? elsewhere(error, `it is a manifest, printed by dray manifest ${blob}`) : error;
  });
  for await (const chunk of store.read(found, options)) await call.out.bytes(chunk);
};
