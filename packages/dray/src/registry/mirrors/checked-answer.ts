import { bytesBody, collect, digestMismatch, sizeMismatch } from "../../content/index.ts";
import { DrayError } from "../../errors.ts";
import { type HttpResponse, header, responseError } from "../../http/index.ts";
import { algorithmOf, type Digest, digestOf, isDigest, largestManifest } from "../../oci/index.ts";
import type { Call } from "../api.ts";
import { lengthOf } from "../blobs.ts";
import { digestSaid } from "../manifests.ts";
import { digestOfManifest } from "../schema1.ts";

/** What mirrors are asked for. */
export interface Pull {
  readonly repository: string;
  readonly kind: "manifests" | "blobs";
  /** A tag or a digest. */
  readonly reference: string;
}

/** Bytes up to which a blob is looked at before anybody gets it: configurations and other documents. */
const lookedAt = 1024 * 1024;

/**
 * What a mirror answered, where that is what was asked for. Manifests and small blobs have their digest; of large blobs the size is compared, and
 * whoever takes the bytes checks them.
 * @throws DrayError `DIGEST_MISMATCH`, `SIZE_MISMATCH`; what another status stands for
 */
export const checkedAnswer = async (response: HttpResponse, pull: Pull, call: Call): Promise<HttpResponse> => {
  const { status } = response;
  if (status !== 200 && status !== 206) throw await responseError(response, "", { advice: false });
  try {
    if (pull.kind === "manifests") return await manifest(response, pull, call);
    return await blob(response, pull.reference as Digest, call);
  } catch (error) {
    await response.body.discard();
    throw error;
  }
};

const manifest = async (response: HttpResponse, { reference }: Pull, { method }: Call): Promise<HttpResponse> => {
  const said = digestSaid(response);
  const wanted = isDigest(reference) ? reference : said;
  if (method === "HEAD") {
    const differs = wanted !== undefined && said !== undefined && said !== wanted;
    if (differs && algorithmOf(said) === algorithmOf(wanted)) throw digestMismatch({ digest: wanted }, said);
    return response;
  }
  const bytes = await collect(response.body.chunks, largestManifest, `the manifest from ${response.url}`);
  const mediaType = header(response.headers, "Content-Type")?.split(";", 1)[0]?.trim() ?? "";
  if (!isDocument(bytes))
    throw new DrayError("REGISTRY", `${new URL(response.url).host} gave something that is no manifest`);
  const found = wanted === undefined ? undefined : digestOfManifest(bytes, mediaType, algorithmOf(wanted));
  if (wanted !== undefined && found !== undefined && found !== wanted) throw digestMismatch({ digest: wanted }, found);
  return { ...response, body: bytesBody(bytes) };
};

const isDocument = (bytes: Uint8Array): boolean => {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
    return typeof parsed === "object" && parsed !== null && "schemaVersion" in parsed;
  } catch {
    return false;
  }
};

const blob = async (
  response: HttpResponse,
  digest: Digest,
  { method, size, headers = [] }: Call,
): Promise<HttpResponse> => {
  const length = lengthOf(response);
  const range = header(response.headers, "Content-Range")?.trim() ?? "";
  const whole = response.status === 200 ? length : Number(/\/([0-9]+)$/.exec(range)?.[1] ?? Number.NaN);
  if (method === "HEAD") return response;
  const [asked, begins] = [/^bytes=([0-9]+)-/.exec(header(headers, "Range") ?? ""), /^bytes\s+([0-9]+)-/i.exec(range)];
  if (response.status === 206 && Number(begins?.[1]) > Number(asked?.[1] ?? 0))
    throw new DrayError("REGISTRY", `${new URL(response.url).host} gave another part of ${digest} than was asked for`);
  if (size !== undefined && whole !== undefined && !Number.isNaN(whole) && whole !== size)
    throw sizeMismatch({ digest, size }, `${whole}`);
  const expected = size ?? length;
  if (response.status !== 200 || expected === undefined || expected > lookedAt) return response;
  const bytes = await collect(response.body.chunks, lookedAt, `the blob from ${response.url}`);
  const found = digestOf(bytes, algorithmOf(digest));
  if (found !== digest) throw digestMismatch({ digest }, found);
  return { ...response, body: bytesBody(bytes) };
};
