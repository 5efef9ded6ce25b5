import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { collect } from "dray/content";
import { type Handler, header } from "dray/http";
import { bodyChunks } from "../body.ts";
import { respond, splitTarget } from "../respond.ts";

/** How Google's tokens are. */
export interface GoogleOptions {
  /** What `expires_in` says. Default 3600. */
  readonly expiresIn?: number;
}

/** Google, as far as credentials go. */
export interface Google {
  /** The token endpoint, `oauth2.googleapis.com/token`: for keys of service accounts and for refresh tokens. */
  readonly handler: Handler;
  /** The metadata server of a machine or pod. */
  readonly metadata: Handler;
  /** Text of a file for `GOOGLE_APPLICATION_CREDENTIALS`: the key of a service account. */
  readonly keyFile: string;
  /** Text of the file that `gcloud auth application-default login` writes. */
  readonly loginFile: string;
  /** What was asked and how it was answered: `200 token jwt-bearer`. */
  readonly asked: string[];
}

const email = "pull@project.iam.gserviceaccount.com";

/** Google's endpoints. Each token says how it was got: `token-by-key`, `token-by-login`, `token-by-metadata`. */
export const google = ({ expiresIn = 3600 }: GoogleOptions = {}): Google => {
  const asked: string[] = [];
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  const json = { "Content-Type": "application/json" };
  const grant = (how: string): string =>
    JSON.stringify({ access_token: `token-by-${how}`, token_type: "Bearer", expires_in: expiresIn });

  const handler: Handler = async (request) => {
    const text = new TextDecoder().decode(await collect(bodyChunks(request), 1 << 16, "the request"));
    const form = text.startsWith("{") ? new Map(Object.entries(JSON.parse(text) as object)) : new URLSearchParams(text);
    const kind = String(form.get("grant_type")).replace(/^.*:/, "");
    const believed =
      kind === "jwt-bearer"
        ? isSigned(String(form.get("assertion")), pem)
        : form.get("refresh_token") === "refresh-of-ann";
    asked.push(`${believed ? 200 : 400} token ${kind}`);
    return believed
      ? respond(request, 200, json, grant(kind === "jwt-bearer" ? "key" : "login"))
      : respond(request, 400, json, JSON.stringify({ error: "invalid_grant", error_description: "Bad Request" }));
  };

  const metadata: Handler = async (request) => {
    const { path } = splitTarget(request.target);
    asked.push(`${request.method} ${path}`);
    if (header(request.headers, "metadata-flavor") !== "Google") return respond(request, 403);
    const flavored = { "Metadata-Flavor": "Google" };
    const account = "/computeMetadata/v1/instance/service-accounts/default";
    if (path === `${account}/token`) return respond(request, 200, { ...json, ...flavored }, grant("metadata"));
    if (path === "/computeMetadata/v1/universe/universe-domain")
      return respond(request, 200, flavored, "googleapis.com");
    const texts: Readonly<Record<string, string>> = {
      "/": "computeMetadata/\n",
      "/computeMetadata/v1/instance": "service-accounts/",
      "/computeMetadata/v1/project/project-id": "project",
      [`${account}/email`]: email,
      [`${account}/scopes`]: "https://www.googleapis.com/auth/cloud-platform",
    };
    const text = texts[path.length > 1 ? path.replace(/\/$/, "") : path];
    return text === undefined ? respond(request, 404, flavored) : respond(request, 200, flavored, text);
  };

  return {
    handler,
    metadata,
    asked,
    keyFile: JSON.stringify({
      type: "service_account",
      project_id: "project",
      private_key_id: "1",
      private_key: pem,
      client_email: email,
      client_id: "1",
      token_uri: "https://oauth2.googleapis.com/token",
    }),
    loginFile: JSON.stringify({
      type: "authorized_user",
      client_id: "gcloud",
      client_secret: "no-secret",
      refresh_token: "refresh-of-ann",
    }),
  };
};

const isSigned = (token: string, pem: string): boolean => {
  const [head = "", claims = "", signature = ""] = token.split(".");
  const said = Buffer.from(`${head}.${claims}`);
  return verify("sha256", said, createPublicKey(pem), Buffer.from(signature, "base64url"));
};
