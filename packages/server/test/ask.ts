import { bytesBody, collect } from "dray/content";
import { connection, type HttpResponse } from "dray/http";
import { digestOf } from "dray/oci";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Asks a registry that is served, over a connection that ends with its answer. */
export const ask = async (
  origin: string,
  method: string,
  target: string,
  body?: string,
): Promise<HttpResponse & { text: string }> => {
  const send = connection({ env: {} });
  const bytes = body === undefined ? undefined : text(body);
  const headers: [string, string][] = bytes === undefined ? [] : [["Content-Length", String(bytes.byteLength)]];
  try {
    const response = await send({
      method,
      origin,
      target,
      headers,
      ...(bytes === undefined ? {} : { body: bytesBody(bytes) }),
    });
    const answer = await collect(response.body.chunks, 1 << 20, target);
    return { ...response, text: Buffer.from(answer).toString() };
  } finally {
    await send.close();
  }
};

/** Pushes a blob in one request. */
export const pushBlob = (origin: string, repository: string, content: string): Promise<HttpResponse> =>
  ask(origin, "POST", `/v2/${repository}/blobs/uploads/?digest=${digestOf(text(content))}`, content);

/** How a blob is answered: its status, and what it says. */
export const pullBlob = async (
  origin: string,
  repository: string,
  content: string,
): Promise<readonly [number, string]> => {
  const { status, text: said } = await ask(origin, "GET", `/v2/${repository}/blobs/${digestOf(text(content))}`);
  return [status, status === 200 ? said : ""];
};
