import { bytesBody } from "dray/content";
import { type Handler, header } from "dray/http";
import { type Digest, digestOf } from "dray/oci";

/** An answer that was read to its end. */
export interface Answer {
  readonly status: number;
  readonly bytes: Uint8Array;
  header(name: string): string | undefined;
}

export const ask = async (
  handler: Handler,
  method: string,
  target: string,
  { body, type }: { body?: Uint8Array; type?: string } = {},
): Promise<Answer> => {
  const response = await handler({
    method,
    origin: "http://registry.test",
    target,
    headers: type === undefined ? [] : [["Content-Type", type]],
    ...(body === undefined ? {} : { body: bytesBody(body) }),
  });
  const parts: Uint8Array[] = [];
  for await (const part of response.body.chunks) parts.push(part.slice());
  return {
    status: response.status,
    bytes: new Uint8Array(Buffer.concat(parts)),
    header: (name) => header(response.headers, name),
  };
};

/** The registry said something else than it should. */
export class Refused extends Error {
  readonly status: number;

  constructor(what: string, { status, bytes }: Answer) {
    super(`${what}: ${status} ${new TextDecoder().decode(bytes.subarray(0, 300))}`);
    this.status = status;
  }
}

/** @throws Refused unless the answer has one of these statuses */
export const expect = async (
  handler: Handler,
  line: string,
  statuses: readonly number[],
  options?: Parameters<typeof ask>[3],
): Promise<Answer> => {
  const [method = "", target = ""] = line.split(" ");
  const answer = await ask(handler, method, target, options);
  if (!statuses.includes(answer.status)) throw new Refused(line, answer);
  return answer;
};

/** Reads content by its digest: its bytes, `undefined` where it is not there, or in words what is wrong with it. */
export const fetch = async (
  handler: Handler,
  path: string,
  digest: Digest,
): Promise<Uint8Array | undefined | string> => {
  const { status, bytes } = await ask(handler, "GET", path);
  if (status === 404) return undefined;
  if (status !== 200) return `${path} is answered with ${status} ${new TextDecoder().decode(bytes.subarray(0, 300))}`;
  return digestOf(bytes, digest.startsWith("sha512:") ? "sha512" : "sha256") === digest
    ? bytes
    : `${path} has other bytes`;
};
