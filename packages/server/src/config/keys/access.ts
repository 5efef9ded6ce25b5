import {
  anything,
  choice,
  type Key,
  listOf,
  needless,
  path,
  refused,
  supported,
  text,
  truth,
} from "@dray/service/config";
import { algorithms } from "../../access/index.ts";

export const authKeys: readonly Key[] = [
  needless("auth.none", anything, "everybody may do everything, which is the default"),
  supported("auth.htpasswd.realm", text, "what the client shows whom it asks for a password"),
  supported("auth.htpasswd.path", path, "the file of users, made by `htpasswd -B`; watched"),
  supported("auth.token.realm", text, "where clients get their tokens, a URL"),
  supported("auth.token.service", text, "how the token service calls this registry"),
  supported("auth.token.issuer", text, "how the token service calls itself in its tokens"),
  supported("auth.token.rootcertbundle", path, "certificates (PEM) whose keys sign tokens; watched"),
  supported("auth.token.jwks", path, "keys that sign tokens, a file of a JSON Web Key Set; watched"),
  supported("auth.token.signingalgorithms", listOf(choice(...algorithms)), "algorithms that tokens may be signed by", {
    fallbackText: "every one that fits the keys",
  }),
  supported("auth.token.autoredirect", truth, "`true`: the realm is on the host that the client asked", {
    fallback: false,
  }),
  supported("auth.token.autoredirectpath", text, "its path there", { fallbackText: "`/auth/token/`" }),
  refused("auth.silly", anything, "it believes everybody; choose auth.none, auth.htpasswd or auth.token", () => true),
];
