import type { Image } from "../views.ts";

/** Something that configurations or manifests say, and say differently. */
export interface SaidChange {
  /** `environment` and `label` are of the configuration's; `configuration` is any other member of it, `annotation` and `manifest` are the manifest's. */
  readonly kind: "environment" | "label" | "configuration" | "annotation" | "manifest";
  /** `PATH`, `org.example.team`, `config.User`, `created`. */
  readonly name: string;
  /** `undefined`: nothing. */
  readonly before: unknown;
  readonly after: unknown;
}

type Members = Readonly<Record<string, unknown>>;

/** What two images say differently of themselves. Layers, and what is said of each of them, are compared elsewhere. */
export const saidChanges = async (before: Image, after: Image): Promise<SaidChange[]> => {
  const [one, other] = await Promise.all([said(before), said(after)]);
  return kinds.flatMap((kind) => changesIn(kind, one[kind], other[kind]));
};

const kinds = ["environment", "label", "configuration", "annotation", "manifest"] as const;

const said = async (image: Image): Promise<Record<SaidChange["kind"], Members>> => {
  const { annotations, config: _config, layers: _layers, ...manifest } = await image.manifest();
  const document = (await isImage(image)) ? ((await image.config()) as Members) : {};
  const { config, rootfs: _rootfs, ...members } = document;
  const { Env, Labels, ...run } = membersOf(config);
  return {
    environment: variables(Env),
    label: membersOf(Labels),
    configuration: {
      ...members,
      ...Object.fromEntries(Object.entries(run).map(([name, value]) => [`config.${name}`, value])),
    },
    annotation: membersOf(annotations),
    manifest: manifest as Members,
  };
};

const isImage = async (image: Image): Promise<boolean> => (await image.platform()) !== undefined;

const membersOf = (value: unknown): Members =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : {};

/** The last of several with one name counts. */
const variables = (env: unknown): Members =>
  Object.fromEntries(
    (Array.isArray(env) ? env : []).flatMap((text: unknown) => {
      if (typeof text !== "string") return [];
      const equals = text.indexOf("=", 1);
      return [equals < 0 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)]];
    }),
  );

/** `null`, an empty list and nothing at all say the same. */
const isNothing = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  (typeof value === "object" && Object.keys(value).length === 0);

const changesIn = (kind: SaidChange["kind"], before: Members, after: Members): SaidChange[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].sort().flatMap((name) => {
    const [one, other] = [own(before, name), own(after, name)];
    // An empty variable or label is one; an empty list of commands is none.
    const counts = kind === "environment" || kind === "label" || kind === "annotation";
    const same = sorted(one) === sorted(other) || (!counts && isNothing(one) && isNothing(other));
    return same ? [] : [{ kind, name, before: one, after: other }];
  });

const own = (members: Members, name: string): unknown => (Object.hasOwn(members, name) ? members[name] : undefined);

/** The same text for the same value, whatever the order of its members. */
const sorted = (value: unknown): string | undefined =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
