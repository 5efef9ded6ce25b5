import { defined } from "dray/internal/defined";

/** What the labels of a container say of its updates. */
export interface LabelledPolicy {
  /** What `readPolicy` of `@dray/policy` takes; missing where labels say nothing of it. */
  readonly policy?: Readonly<Record<string, unknown>>;
  readonly isLeftAlone?: true;
  /** Labels that make no sense, or mean what we cannot do. */
  readonly warnings: readonly string[];
}

type Labels = Readonly<Record<string, string>>;

/**
 * Labels of Diun (`diun.*`), WUD (`wud.*`) and Watchtower (`com.centurylinklabs.watchtower.*`) as a policy, in this order: the first of them that says
 * anything counts. Diun without `watch_repo`, and Watchtower, follow the tag that runs: what is newer is another image under that very tag.
 * @param tag that runs
 * @example policyOfLabels({ "wud.tag.include": "^\\d+\\.\\d+$" }, "1.2") // { policy: { filterTags: { pattern: "^\\d+\\.\\d+$" } }, … }
 */
export const policyOfLabels = (labels: Labels, tag: string | undefined): LabelledPolicy =>
  ofDiun(labels, tag) ?? ofWud(labels) ?? ofWatchtower(labels, tag) ?? { warnings: [] };

const anyOf = (labels: Labels, prefix: string): boolean => Object.keys(labels).some((name) => name.startsWith(prefix));

/** As Go reads it. */
const truth = (text: string | undefined): boolean | undefined =>
  text === undefined
    ? undefined
    : /^(?:1|t|true)$/i.test(text)
      ? true
      : /^(?:0|f|false)$/i.test(text)
        ? false
        : undefined;

/** @see https://crazymax.dev/diun/providers/docker/#docker-labels */
const ofDiun = (labels: Labels, tag: string | undefined): LabelledPolicy | undefined => {
  if (!anyOf(labels, "diun.")) return undefined;
  if (truth(labels["diun.enable"]) === false) return { isLeftAlone: true, warnings: [] };
  if (truth(labels["diun.watch_repo"]) !== true) return { ...followed(tag), warnings: [] };
  const lists = (name: string): string[] => (labels[name] ?? "").split(";").filter((each) => each !== "");
  const include = lists("diun.include_tags");
  const exclude = lists("diun.exclude_tags").map((each) => `/${each}/`);
  const order = labels["diun.sort_tags"] ?? "reverse";
  const orders: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    semver: {},
    lexicographical: { alphabetical: {} },
    reverse: { alphabetical: {} },
    default: {},
  };
  const filterTags = filter(include.length === 0 ? undefined : include.map((each) => `(?:${each})`).join("|"), exclude);
  return {
    policy: defined<Record<string, unknown>>({ ...orders[order], filterTags, platform: labels["diun.platform"] }),
    warnings: order in orders ? [] : [`diun.sort_tags is "${order}", which is no order`],
  };
};

/** @see https://getwud.github.io/wud/#/configuration/watchers/?id=labels */
const ofWud = (labels: Labels): LabelledPolicy | undefined => {
  if (!anyOf(labels, "wud.")) return undefined;
  if (truth(labels["wud.watch"]) === false) return { isLeftAlone: true, warnings: [] };
  const [exclude, transform] = [labels["wud.tag.exclude"], labels["wud.tag.transform"]];
  const [, from, to] = /^(.*?)\s*=>\s*(.*)$/s.exec(transform ?? "") ?? [];
  const include = labels["wud.tag.include"];
  if (transform !== undefined && from === undefined)
    return { warnings: [`wud.tag.transform is "${transform}", and has to be EXPRESSION => $1`] };
  if (from !== undefined && include !== undefined && include !== from)
    return {
      policy: { filterTags: filter(include, exclude === undefined ? [] : [`/${exclude}/`]) },
      warnings: ["wud.tag.include and wud.tag.transform are two expressions; the second is left out"],
    };
  const filterTags = filter(from ?? include, exclude === undefined ? [] : [`/${exclude}/`], to);
  return filterTags === undefined ? { warnings: [] } : { policy: { filterTags }, warnings: [] };
};

/** @see https://containrrr.dev/watchtower/container-selection/ */
const ofWatchtower = (labels: Labels, tag: string | undefined): LabelledPolicy | undefined => {
  const prefix = "com.centurylinklabs.watchtower.";
  if (!anyOf(labels, prefix)) return undefined;
  if (truth(labels[`${prefix}enable`]) === false) return { isLeftAlone: true, warnings: [] };
  return { ...followed(tag), warnings: [] };
};

const followed = (tag: string | undefined): Pick<LabelledPolicy, "policy"> =>
  tag === undefined ? {} : { policy: { tag } };

const filter = (
  pattern: string | undefined,
  exclude: readonly string[],
  extract?: string,
): Readonly<Record<string, unknown>> | undefined =>
  pattern === undefined && exclude.length === 0
    ? undefined
    : defined<Record<string, unknown>>({ pattern, extract, exclude: exclude.length === 0 ? undefined : exclude });
