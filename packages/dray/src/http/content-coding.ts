import { type Body, bytesBody } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { header, type Middleware } from "./types.ts";

/**
 * Answers without the coding that a proxy has laid around them although none was asked for, since digests and sizes are those of the bytes as
 * they are kept. What has the size that its reader expects (`context.size`) is left alone: a layer that is gzip itself is called coded by
 * some storage services. Of what is coded nobody knows the length.
 * @throws DrayError `REGISTRY` for a coding that is none of gzip's
 */
export const withoutCoding: Middleware = (next) => async (request) => {
  const response = await next(request);
  const coding = header(response.headers, "Content-Encoding")?.trim().toLowerCase() ?? "";
  if (coding === "" || coding === "identity" || response.status === 206 || response.status === 304) return response;
  const { size } = request.context ?? {};
  if (size !== undefined && header(response.headers, "Content-Length") === `${size}`) return response;
  const headers = response.headers.filter(([name]) => !/^content-(?:length|encoding)$/i.test(name));
  if (request.method === "HEAD" || isWithoutBody(response.body)) return { ...response, headers };
  if (/^(?:x-)?gzip$/.test(coding)) return { ...response, headers, body: plain(response.body) };
  if (response.status !== 200 || request.method !== "GET")
    return { ...response, headers, body: await emptied(response.body) };
  await response.body.discard();
  const { host } = new URL(response.url);
  const message = `${host} answered in the coding "${coding}", although none was asked for; what stands before the registry has to leave its answers as they are`;
  throw new DrayError("REGISTRY", message, { registry: host, status: response.status });
};

const isWithoutBody = ({ length }: Body): boolean => length === 0;

const plain = (body: Body): Body => {
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    const { decompressed } = await import("../compression/index.ts");
    yield* decompressed(body.chunks);
  };
  return { chunks: chunks(), discard: () => body.discard() };
};

/** Nobody can read it, and the status and headers of a refusal, a redirect or what was written say what matters. */
const emptied = async (body: Body): Promise<Body> => {
  await body.discard();
  return bytesBody(new Uint8Array(0));
};
