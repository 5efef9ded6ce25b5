import { type ConfigContext, partOf } from "@dray/service/config";
import { defined } from "dray/internal/defined";
import type { AccessSettings } from "./types.ts";

export const accessOf = (context: ConfigContext): AccessSettings | undefined => {
  const { values, complain, warn } = context;
  const auth = partOf(context, "auth");
  const [first, second] = auth.entries;
  if (second !== undefined)
    return complain(
      "auth",
      `there is room for one way of access, and here are ${[...auth.entries.keys()].join(", ")}; keep one`,
      second[1].origin,
    );
  if (first === undefined || first[0].toLowerCase() === "none") {
    for (const key of ["dray.access.anonymouspull", "dray.access.jwksurl"])
      if (values.has(key)) warn(key, "has no effect, since auth is none and everybody may do everything");
    return { kind: "none" };
  }
  const [name, { origin }] = first;
  const needed = (key: string, remedy: string): string => {
    const path = `auth.${name}.${key}`;
    const value = values.maybe<string>(path);
    if (value === undefined) complain(path, `is missing; ${remedy}`, origin);
    return value ?? "";
  };
  const anybody = {
    anonymousPull: values.list("dray.access.anonymouspull"),
    anonymousPing: values.truth("dray.access.anonymousping"),
  } satisfies Partial<HtpasswdSettings & TokenOptions>;
  if (name === "htpasswd") {
    if (anybody.anonymousPull.length > 0 && !values.has("dray.access.anonymousping"))
      warn(
        "dray.access.anonymouspull",
        "docker with its old image store does not pull without a login all the same (no basic auth credentials), because /v2/ asks for one; dray.access.anonymousping: true lets it, and then no docker, podman or skopeo pushes here any more; false says that this is known",
      );
    const lockout = {
      attempts: values.number("dray.access.lockout.attempts"),
      window: values.number("dray.access.lockout.window"),
    } satisfies HtpasswdSettings["lockout"];
    const realm = needed("realm", "name what users log in to, as `realm: registry`");
    const file = needed("path", "name the file of users, which `htpasswd -B` makes");
    return { kind: "htpasswd", options: { realm, file, lockout, ...anybody } satisfies HtpasswdSettings };
  }
  // Any other has been refused already.
  return name === "token" ? { kind: "token", options: { ...tokenOf(context, needed), ...anybody } } : undefined;
};

type HtpasswdSettings = Extract<AccessSettings, { kind: "htpasswd" }>["options"];
type TokenOptions = Extract<AccessSettings, { kind: "token" }>["options"];

const tokenOf = (
  { values, root, complain }: ConfigContext,
  needed: (key: string, remedy: string) => string,
): TokenOptions => {
  const rootcertbundle = values.maybe<string>("auth.token.rootcertbundle");
  const jwks = values.maybe<string>("auth.token.jwks");
  const jwksUrl = values.maybe<string>("dray.access.jwksurl");
  const signingalgorithms = values.list("auth.token.signingalgorithms");
  const autoredirectpath = values.maybe<string>("auth.token.autoredirectpath");
  if ((rootcertbundle ?? jwks ?? jwksUrl) === undefined)
    complain(
      "auth.token",
      "nothing tells which keys sign tokens; name a file as rootcertbundle (certificates) or jwks (keys)",
      root.entries.get("auth")?.origin,
    );
  return defined({
    realm: needed("realm", "name the URL where clients get their tokens"),
    service: needed("service", "name this registry as the token service does"),
    issuer: needed("issuer", "name the token service as its tokens do"),
    autoredirect: values.truth("auth.token.autoredirect"),
    rootcertbundle,
    jwks,
    jwksUrl,
    signingalgorithms: signingalgorithms.length === 0 ? undefined : signingalgorithms,
    autoredirectpath,
  });
};
