import {
  type Authenticated,
  credentialsOf,
  openPasswordFile,
  type PasswordFileOptions,
  unauthorised,
} from "@dray/service/identity";
import type { HttpRequest } from "dray/http";
import { type Access, forbidden, type Need, saidOf, type Verdict } from "./access.ts";
import { type AnonymousOptions, anonymous } from "./anonymous.ts";

/** `realm` is what clients are told the passwords are for; default `registry`. */
export type HtpasswdOptions = AnonymousOptions & Omit<PasswordFileOptions, "realm"> & { readonly realm?: string };

/**
 * Users and passwords in a file, bcrypt alone, as distribution's `auth.htpasswd`: who is in it may do everything.
 * @throws DrayError `CONFIG_INVALID` where the file cannot be read at the start, or an option makes no sense
 */
export const htpasswd = async ({ realm = "registry", ...options }: HtpasswdOptions): Promise<Access> => {
  const anybody = anonymous(options);
  const users = await openPasswordFile({ ...options, realm });
  const { challenge } = users;

  const authorise = (request: HttpRequest, need: Need): Verdict | Promise<Verdict> => {
    const credentials = credentialsOf(request);
    if (credentials.kind === "none")
      return anybody.allows(need)
        ? { allowed: true, principal: anybody.principal }
        : unauthorised(`${saidOf(need)} needs a user name and a password`, challenge);
    if (credentials.kind !== "basic") return unauthorised("this registry takes a user name and a password", challenge);
    const known = users.authenticate(credentials, request.peer);
    return known instanceof Promise ? known.then((later) => within(later, need)) : within(known, need);
  };

  return { authorise, lockouts: users.lockouts, reload: users.reload, close: users.close };
};

const within = (known: Authenticated, need: Need): Verdict => {
  if (!known.allowed) return known;
  if ("nobody" in need) return forbidden("nobody is allowed this");
  return { allowed: true, principal: { name: known.user, may: () => true } };
};
