import { printable } from "dray/errors";
import { defined } from "dray/internal/defined";
import type { ListedManifest } from "dray/registry";
import type { Call } from "../context.ts";
import type { ListingOptions } from "../flags.ts";
import { jsonText, listing } from "../json.ts";
import { registriesFor } from "../registries.ts";
import { type Ended, type HeldRepository, placeIn, repositoriesAt, tellBroken } from "./place.ts";

/** How repositories are listed. */
export interface ListRepositoriesOptions extends ListingOptions {
  readonly long?: boolean;
  readonly recursive?: boolean;
  readonly json?: boolean;
}

/**
 * Lists what repositories hold, in gcrane's lines: of each manifest its digest, then its tags; children before, unless they are listed themselves.
 * A registry that tells no digests has its tags alone.
 */
export const listRepositories = async (call: Call<ListRepositoriesOptions>, text: string): Promise<void> => {
  const { options, out } = call;
  const recursive = options.recursive === true;
  const place = placeIn(text, { recursive });
  const { connect } = await registriesFor(call);
  const ended: Ended = { whole: 0, broken: [] };
  const found = repositoriesAt(call, connect(place.registry), place, { recursive, ended });
  const counted = async function* (): AsyncGenerator<HeldRepository> {
    for await (const each of found) {
      ended.whole++;
      yield each;
    }
  };
  if (options.output === "json") await listing(out, { reference: text }, "repositories", counted(), inWords);
  else
    for await (const each of counted())
      for (const line of options.json === true ? [jsonLine(each)] : lines(each, { recursive })) await out.line(line);
  tellBroken(ended, "listed");
};

const lines = ({ name, contents }: HeldRepository, { recursive }: { readonly recursive: boolean }): string[] => {
  const { manifests, children = [], tags } = contents;
  const listed =
    manifests === undefined
      ? tags.map((tag) => `${name}:${tag}`)
      : [...manifests.values()].flatMap((each) => [
          `${name}@${each.digest}`,
          ...each.tags.map((tag) => `${name}:${tag}`),
        ]);
  return [...(recursive ? [] : children.map((child) => `${name}/${child}`)), ...listed].map(printable);
};

/** One line for each repository, member by member as gcrane writes it. */
const jsonLine = ({ repository, contents: { children, manifests, tags } }: HeldRepository): string =>
  jsonText({
    child: children ?? null,
    manifest:
      manifests === undefined
        ? null
        : Object.fromEntries(
            [...manifests.values()]
              .sort((one, other) => (one.digest < other.digest ? -1 : 1))
              .map((each) => [each.digest, googleForm(each)]),
          ),
    name: manifests === undefined ? "" : repository.name,
    tags: manifests === undefined && tags.length === 0 ? null : tags,
  });

const googleForm = ({ size, mediaType, created, uploaded, tags }: ListedManifest) => ({
  imageSizeBytes: String(size),
  mediaType,
  timeCreatedMs: String(created?.getTime() ?? 0),
  timeUploadedMs: String(uploaded?.getTime() ?? 0),
  tag: tags,
});

const inWords = ({ name, contents: { children, manifests, tags } }: HeldRepository): unknown =>
  defined({
    repository: name,
    children,
    tags,
    manifests:
      manifests &&
      [...manifests.values()].map(({ created, uploaded, ...each }) =>
        defined({ ...each, created: created?.toISOString(), uploaded: uploaded?.toISOString() }),
      ),
  });
