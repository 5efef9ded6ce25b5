import type { Cancel } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { type HeaderPairs, type HttpResponse, header, type RetryBudget } from "../http/index.ts";
import { type Descriptor, type Digest } from "../oci/index.ts";
import { type Call, callIn, pathIn, type Repo, referenceIn } from "./api.ts";

/** Whether a repository has a blob, whole. */
export const hasBlob = async (
  repo: Repo,
  { digest, size }: Descriptor,
  options: Cancel & { readonly retryBudget?: RetryBudget } = {},
): Promise<boolean> => {
  const found = await sizeOfBlob(repo, digest, options);
  return found === "unknown" || found === size;
};

/**
 * What a blob is by its digest alone. Registries do not know the media types of blobs.
 * @throws DrayError `NOT_FOUND`
 */
export const describeBlob = async (repo: Repo, digest: Digest, options: Cancel = {}): Promise<Descriptor> => {
  const drawing = { ...options, retryBudget: repo.api.retryBudget() };
  let size = await sizeOfBlob(repo, digest, drawing);
  if (size === "unknown") size = await sizeByRange(repo, digest, drawing);
  if (typeof size === "number") return { mediaType: "application/octet-stream", digest, size };
  const facts = { reference: referenceIn(repo, digest), registry: repo.api.registry };
  if (size === undefined) throw new DrayError("NOT_FOUND", `there is no blob ${facts.reference}`, facts);
  throw new DrayError("REGISTRY", `${facts.registry} does not say how large ${facts.reference} is`, facts);
};

/** The bytes that a HEAD announces; `"unknown"` for a blob that is there and whose size is not said; `undefined` for none. */
const sizeOfBlob = async (
  repo: Repo,
  digest: Digest,
  { retryBudget = repo.api.retryBudget(), ...options }: Cancel & { readonly retryBudget?: RetryBudget },
): Promise<number | "unknown" | undefined> => {
  const call = { ...blobCall(repo, digest, "HEAD", options), retryBudget };
  const response = await repo.api.send(call);
  if (response.status === 404 || response.status === 200) {
    await response.body.discard();
    return response.status === 404 ? undefined : (lengthOf(response) ?? "unknown");
  }
  // A storage service may have been asked with an address that is signed for GET alone.
  const elsewhere = new URL(response.url).origin !== (await repo.api.origin(options.signal));
  if (!elsewhere && response.status !== 405) throw await repo.api.refusal(call, response);
  await response.body.discard();
  return sizeByRange(repo, digest, { ...options, retryBudget });
};

const sizeByRange = async (
  repo: Repo,
  digest: Digest,
  { retryBudget, ...options }: Cancel & { readonly retryBudget: RetryBudget },
): Promise<number | "unknown" | undefined> => {
  const headers = [["Range", "bytes=0-0"]] as const;
  const response = await repo.api.ask(
    { ...blobCall(repo, digest, "GET", options), retryBudget, headers },
    200,
    206,
    404,
  );
  await response.body.discard();
  if (response.status === 404) return undefined;
  const size = response.status === 200 ? lengthOf(response) : contentRange(response.headers)?.size;
  return size ?? "unknown";
};

/** A request about a blob. */
export const blobCall = (repo: Repo, digest: Digest, method: "GET" | "HEAD", { signal }: Cancel): Call => ({
  ...callIn(repo, "pull", "reading blob", digest),
  method,
  target: pathIn(repo, `blobs/${digest}`),
  signal,
});

/** `Content-Length` as a number. */
export const lengthOf = ({ headers }: HttpResponse): number | undefined => {
  const text = header(headers, "Content-Length")?.trim();
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : undefined;
};

/** What `Content-Range: bytes 5-9/10` says. @see https://www.rfc-editor.org/rfc/rfc9110#section-14.4 */
export const contentRange = (headers: HeaderPairs): { start: number; size: number | undefined } | undefined => {
  const [, start, size] =
    /^bytes\s+([0-9]+)-[0-9]+\/([0-9]+|\*)$/i.exec(header(headers, "Content-Range")?.trim() ?? "") ?? [];
  if (start === undefined) return undefined;
  return { start: Number(start), size: size === "*" ? undefined : Number(size) };
};
