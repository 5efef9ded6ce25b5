/**
 * What a token allows: actions on a resource.
 * @see https://distribution.github.io/distribution/spec/auth/scope/
 */
export interface Scope {
  /** `repository`, `registry`; the whole text where it is not of the usual form (`aws`). */
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** Reads `type:name:action,action`. A name may hold colons (`host:5000/app`). Text of another form is kept as it is. */
export const parseScope = (text: string): Scope => {
  const [first, last] = [text.indexOf(":"), text.lastIndexOf(":")];
  if (first <= 0 || last <= first + 1) return { type: text, name: "", actions: [] };
  const actions = text
    .slice(last + 1)
    .split(",")
    .filter((action) => action !== "");
  return { type: text.slice(0, first), name: text.slice(first + 1, last), actions: [...new Set(actions)] };
};

/** `repository:library/alpine:pull,push`, as challenges and token services write it. */
export const formatScope = ({ type, name, actions }: Scope): string =>
  name === "" ? type : `${type}:${name}:${actions.join(",")}`;

/** Reads scopes, of which one text may hold several between spaces, as a challenge does. */
export const parseScopes = (texts: readonly string[]): Scope[] =>
  mergeScopes(texts.flatMap((text) => text.split(/\s+/).filter((part) => part !== "")).map(parseScope));

/** One scope for each resource, with the actions of all; resources and actions in the order they first come in. */
export const mergeScopes = (...lists: readonly (readonly Scope[])[]): Scope[] => {
  const merged = new Map<string, Scope>();
  for (const scope of lists.flat()) {
    const key = resourceOf(scope);
    const before = merged.get(key)?.actions ?? [];
    merged.set(key, { ...scope, actions: [...new Set([...before, ...scope.actions])] });
  }
  return [...merged.values()];
};

/** Whether a token for `held` allows everything that `wanted` names. The action `*` stands for all. */
export const coversScopes = (held: readonly Scope[], wanted: readonly Scope[]): boolean => {
  const actions = new Map(held.map((scope) => [resourceOf(scope), new Set(scope.actions)]));
  return wanted.every((scope) => {
    const has = actions.get(resourceOf(scope));
    return has !== undefined && (has.has("*") || scope.actions.every((action) => has.has(action)));
  });
};

/** Equal for scopes on the same resources, whatever the actions and the order. */
export const resourcesKey = (scopes: readonly Scope[]): string => scopes.map(resourceOf).sort().join(" ");

/** Equal for the same scopes, whatever their order. */
export const scopesKey = (scopes: readonly Scope[]): string =>
  scopes
    .map((scope) => `${resourceOf(scope)}:${[...scope.actions].sort().join(",")}`)
    .sort()
    .join(" ");

const resourceOf = ({ type, name }: Scope): string => `${type}:${name}`;
