import { createHash, createHmac } from "node:crypto";
import { collect } from "dray/content";
import { type Handler, type HttpRequest, type HttpResponse, header } from "dray/http";
import { bodyChunks } from "../body.ts";
import { respond, splitTarget } from "../respond.ts";

/** Who may ask Amazon, and what it answers. */
export interface AmazonOptions {
  /** Secrets by access key. */
  readonly keys?: Readonly<Record<string, string>>;
  /** The token of a session, which whoever asks has to send along. */
  readonly sessionToken?: string;
  /** Accounts that whoever asks may not pull from. */
  readonly denied?: readonly string[];
  /** How long tokens live. Default 12 hours. */
  readonly lifetimeSeconds?: number;
  /** Region of the machine, as its metadata say. Default `eu-west-1`. */
  readonly region?: string;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/** Amazon, as far as its registries' credentials go. */
export interface Amazon {
  /** Answers for ECR, its public registry and STS: by what it is asked, whatever the host. */
  readonly handler: Handler;
  /** Answers as the metadata of a machine do, with the first key. */
  readonly metadata: Handler;
  /** What was asked and how it was answered: `200 ecr/eu-west-1 GetAuthorizationToken ["123456789012"] AKID`. */
  readonly asked: string[];
}

/** The password in a token for an account; the public registry's account is `public`. */
const passwordFor = (account: string, region: string): string => `password-of-${account}-in-${region}`;

/**
 * Amazon's endpoints, which believe nobody whose signature is not right.
 * @see https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
 */
export const amazon = (options: AmazonOptions = {}): Amazon => {
  const { keys = { AKIDEXAMPLE: "secret-of-the-key" }, sessionToken, denied = [] } = options;
  const { lifetimeSeconds = 12 * 3600, region: home = "eu-west-1", now = Date.now } = options;
  const asked: string[] = [];

  const handler: Handler = async (request) => {
    const body = await collect(bodyChunks(request), 1 << 20, "the request");
    const text = new TextDecoder().decode(body);
    const signer = signerOf(request, body, keys);
    const operation = /\.(\w+)$/.exec(header(request.headers, "x-amz-target") ?? "")?.[1] ?? actionOf(text);
    const tell = (status: number, what: string, answer: object): HttpResponse => {
      asked.push(`${status} ${signer.service}/${signer.region} ${operation} ${what} ${signer.key}`.replace(/ +/g, " "));
      return respond(request, status, { "Content-Type": "application/x-amz-json-1.1" }, JSON.stringify(answer));
    };
    if (
      !signer.valid ||
      (sessionToken !== undefined && header(request.headers, "x-amz-security-token") !== sessionToken)
    )
      // As Amazon says it, quoting what was sent.
      return tell(403, "", {
        __type: "InvalidSignatureException",
        message: `The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for this request should have been\n'${header(request.headers, "x-amz-security-token") ?? ""}'`,
      });
    if (operation === "AssumeRole") return assumed(request, text, tell);
    const ids: string[] = (JSON.parse(text || "{}") as { registryIds?: string[] }).registryIds ?? [];
    const refused = ids.find((id) => denied.includes(id));
    if (refused !== undefined)
      return tell(400, JSON.stringify(ids), {
        __type: "AccessDeniedException",
        message: `User: arn:aws:iam::${refused}:user/ann is not authorized to perform: ecr:GetAuthorizationToken`,
      });
    const expiresAt = now() / 1000 + lifetimeSeconds;
    const data = (account: string) => ({
      authorizationToken: Buffer.from(`AWS:${passwordFor(account, signer.region)}`).toString("base64"),
      expiresAt,
    });
    const isPublic = /^ecr-public$/.test(signer.service);
    return tell(200, JSON.stringify(ids), {
      authorizationData: isPublic
        ? data("public")
        : ids.map((id) => ({ ...data(id), proxyEndpoint: `https://${id}.dkr.ecr.${signer.region}.amazonaws.com` })),
    });
  };

  const assumed = (
    request: HttpRequest,
    text: string,
    tell: (status: number, what: string, answer: object) => HttpResponse,
  ): HttpResponse => {
    const role = new URLSearchParams(text).get("RoleArn") ?? "";
    tell(200, role, {});
    const [[key, secret] = []] = Object.entries(keys);
    const until = new Date(now() + 3_600_000).toISOString();
    return respond(
      request,
      200,
      { "Content-Type": "text/xml" },
      `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>${key}</AccessKeyId><SecretAccessKey>${secret}</SecretAccessKey><SessionToken>session-of-${role.split("/")[1]}</SessionToken><Expiration>${until}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
    );
  };

  const metadata: Handler = async (request) => {
    const { path } = splitTarget(request.target);
    asked.push(`${request.method} ${path}`);
    const [[key, secret] = []] = Object.entries(keys);
    const texts: Readonly<Record<string, string>> = {
      "/latest/api/token": "metadata-session",
      "/latest/meta-data/placement/region": home,
      "/latest/meta-data/iam/security-credentials/": "pull",
      "/latest/meta-data/iam/security-credentials/pull": JSON.stringify({
        Code: "Success",
        AccessKeyId: key,
        SecretAccessKey: secret,
        Token: sessionToken ?? "session-of-the-machine",
        Expiration: new Date(now() + 3_600_000).toISOString(),
      }),
    };
    const text = texts[path];
    const isToken = path === "/latest/api/token";
    if (!isToken && header(request.headers, "x-aws-ec2-metadata-token") !== "metadata-session")
      return respond(request, 401);
    if (text === undefined || isToken !== (request.method === "PUT")) return respond(request, 404);
    return respond(request, 200, { "X-aws-ec2-metadata-token-ttl-seconds": "21600" }, text);
  };

  return { handler, metadata, asked };
};

const actionOf = (text: string): string => new URLSearchParams(text).get("Action") ?? "?";

interface Signer {
  readonly key: string;
  readonly region: string;
  readonly service: string;
  readonly valid: boolean;
}

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
const signerOf = (request: HttpRequest, body: Uint8Array, keys: Readonly<Record<string, string>>): Signer => {
  const said = header(request.headers, "authorization") ?? "";
  const grammar =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w+)$/;
  const [, key = "", day = "", region = "", service = "", names = "", signature] = grammar.exec(said) ?? [];
  const { path, query } = splitTarget(request.target);
  const encoded = (value: string): string =>
    encodeURIComponent(value).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const canonical = [
    request.method,
    path,
    [...query]
      .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
      .sort()
      .join("&"),
    ...names.split(";").map((name) => `${name}:${(header(request.headers, name) ?? "").trim().replace(/ +/g, " ")}`),
    "",
    names,
    createHash("sha256").update(body).digest("hex"),
  ].join("\n");
  const time = header(request.headers, "x-amz-date") ?? "";
  const scope = `${day}/${region}/${service}/aws4_request`;
  const hash = createHash("sha256").update(canonical).digest("hex");
  const signing = [day, region, service, "aws4_request"].reduce<Buffer>(
    (secret, part) => createHmac("sha256", secret).update(part).digest(),
    Buffer.from(`AWS4${keys[key] ?? ""}`),
  );
  const wanted = createHmac("sha256", signing).update(["AWS4-HMAC-SHA256", time, scope, hash].join("\n")).digest("hex");
  return { key, region, service, valid: key in keys && signature === wanted };
};
