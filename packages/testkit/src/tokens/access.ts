/** What a token allows, or a request needs: `repository:library/alpine:pull,push`. */
export interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** Reads scopes as the token protocol has them: `repository:library/alpine:pull,push`, several apart by spaces. */
export const parseScopes = (text: string): Access[] =>
  text
    .split(" ")
    .filter((scope) => scope !== "")
    .map((scope) => {
      // A name may have a colon of its own, in a port.
      const [first, last] = [scope.indexOf(":"), scope.lastIndexOf(":")];
      return {
        type: scope.slice(0, first),
        name: scope.slice(first + 1, last),
        actions: scope.slice(last + 1).split(","),
      };
    });

/** Whether all that is needed was granted. */
export const covers = (granted: readonly Access[], needed: readonly Access[]): boolean =>
  needed.every(({ type, name, actions }) => {
    const has = granted.filter((access) => access.type === type && access.name === name).flatMap((a) => a.actions);
    return actions.every((action) => has.includes(action) || has.includes("*"));
  });
