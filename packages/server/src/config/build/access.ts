import type { AccessSettings, TokenSettings } from "../settings.ts";
import { type Context, partOf } from "./context.ts";

export const accessOf = (context: Context): AccessSettings | undefined => {
  const { values, complain } = context;
  const auth = partOf(context, "auth");
  const [first, second] = auth.entries;
  if (second !== undefined)
    return complain(
      "auth",
      `there is room for one way of access, and here are ${[...auth.entries.keys()].join(", ")}; keep one`,
      second[1].origin,
    );
  const anonymousPull = values.list("dray.access.anonymouspull");
  if (first === undefined || first[0].toLowerCase() === "none") return { kind: "none", anonymousPull };
  const [name, { origin }] = first;
  const needed = (key: string, remedy: string): string => {
    const path = `auth.${name}.${key}`;
    const value = values.maybe<string>(path);
    if (value === undefined) complain(path, `is missing; ${remedy}`, origin);
    return value ?? "";
  };
  if (name === "htpasswd")
    return {
      kind: "htpasswd",
      realm: needed("realm", "name what users log in to, as `realm: registry`"),
      path: needed("path", "name the file of users, which `htpasswd -B` makes"),
      lockout: {
        attempts: values.number("dray.access.lockout.attempts"),
        window: values.number("dray.access.lockout.window"),
      },
      anonymousPull,
    };
  // Any other has been refused already.
  return name === "token" ? { ...tokenOf(context, needed), anonymousPull } : undefined;
};

const tokenOf = (
  { values, root, complain }: Context,
  needed: (key: string, remedy: string) => string,
): TokenSettings => {
  const rootCertBundle = values.maybe<string>("auth.token.rootcertbundle");
  const jwks = values.maybe<string>("auth.token.jwks");
  const signingAlgorithms = values.list("auth.token.signingalgorithms");
  if (rootCertBundle === undefined && jwks === undefined)
    complain(
      "auth.token",
      "nothing tells which keys sign tokens; name a file as rootcertbundle (certificates) or jwks (keys)",
      root.entries.get("auth")?.origin,
    );
  const redirects = values.truth("auth.token.autoredirect");
  return {
    kind: "token",
    realm: needed("realm", "name the URL where clients get their tokens"),
    service: needed("service", "name this registry as the token service does"),
    issuer: needed("issuer", "name the token service as its tokens do"),
    ...(rootCertBundle === undefined ? {} : { rootCertBundle }),
    ...(jwks === undefined ? {} : { jwks }),
    ...(signingAlgorithms.length === 0 ? {} : { signingAlgorithms }),
    ...(redirects ? { autoRedirect: values.text("auth.token.autoredirectpath") } : {}),
  };
};
