import { removes } from "dray/content";
import { DrayError } from "dray/errors";
import { type ParsedLocation, parseLocation } from "dray/locations";
import type { Act, Call, Define } from "../context.ts";
import type { SharedOptions } from "../flags.ts";
import { opened, referenceOf } from "../images.ts";
import { registriesFor } from "../registries.ts";

export const define: Define = (command) =>
  command
    .argument(
      "<image>",
      "a tag or digest, deleted as it is written; or a location such as oci:DIR:NAME or docker-daemon:NAME",
    )
    .option("--blob", "the digest is a blob's: takes it out of the repository, whatever needs it there");

export const examples: readonly string[] = [
  "dray delete registry.example.com/team/app:old",
  "dray delete registry.example.com/team/app@sha256:…",
];

interface DeleteOptions extends SharedOptions {
  readonly blob?: boolean;
}

/** As typed: a registry may take a tag away alone, or refuse tags and want the digest. Blobs only where they are asked for. */
export const act: Act<DeleteOptions> = async (call, [image = ""]) => {
  if (call.options.blob === true) return deleteBlob(call, image);
  const { store, name, location } = await opened(call, image);
  if (!removes(store)) {
    const wayRound = waysRound[parseLocation(image).kind];
    const said = [`${location}: nothing can be deleted here`, wayRound].filter(Boolean).join("; ");
    throw new DrayError("UNSUPPORTED", said, { reference: location });
  }
  await store.remove(name, { signal: call.signal });
  await store.close();
  // Without its tag it would read as if the whole repository were gone.
  const deleted = location.endsWith(name) ? location : `${location}:${name}`;
  call.reporter.summary(`deleted ${deleted}`, { deleted });
};

/** What helps where a kind of place lets nothing go. */
const waysRound: Readonly<Partial<Record<ParsedLocation["kind"], string>>> = {
  "oci-archive": "an archive is written whole: copy what is to stay into a new one",
  "docker-archive": "an archive is written whole: copy what is to stay into a new one",
  "docker-container": "an engine's own command removes a container: docker rm, or podman rm",
};

const deleteBlob = async (call: Call, image: string): Promise<void> => {
  const { registry, repository, digest } = referenceOf(image);
  if (digest === undefined)
    throw new DrayError("USAGE", `--blob: ${image} names no digest; expected REPOSITORY@DIGEST`);
  await (await registriesFor(call))
    .connect(registry)
    .repository(repository)
    .removeBlob(digest, { signal: call.signal });
  call.reporter.summary(`deleted blob ${image}`, { deleted: image });
};
