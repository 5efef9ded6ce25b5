import assert from "node:assert/strict";
import { type Body, bytesBody } from "dray/content";
import { type HeaderPairs, type HttpRequest, header } from "dray/http";
import { digestOf, mediaTypes } from "dray/oci";
import type { Access } from "../../src/access/access.ts";
import type { Notice } from "../../src/notice.ts";
import { createRegistry, type Registry } from "../../src/registry.ts";
import type { Driver } from "../../src/storage/driver.ts";
import { checkAnswer, checkHead } from "./answers.ts";
import type { Ask, Case } from "./case.ts";
import * as sample from "./sample.ts";

/** An answer that was read to its end. */
export interface Answered {
  readonly status: number;
  readonly headers: HeaderPairs;
  readonly bytes: Uint8Array;
}

/** A registry with a little in it, and who watches what it does. */
export interface HardeningFixture {
  readonly registry: Registry;
  readonly notices: readonly Notice[];
  ask(ask: Ask): Promise<Answered>;
}

const access: Access = {
  authorise: (request) => ({
    allowed: true,
    principal: { name: header(request.headers, "X-Test-User") ?? "", may: () => true },
  }),
};

/** @param onAnswer hears of every answer to a request: `404 NAME_UNKNOWN`, `200` */
export const makeFixture = async (
  driver: Driver,
  settings: Case["settings"] = {},
  onAnswer: (request: HttpRequest, told: string) => void = () => {},
): Promise<HardeningFixture> => {
  const notices: Notice[] = [];
  const registry = createRegistry({ driver, access, ...settings, onNotice: (notice) => notices.push(notice) });
  /** What braces stand for. */
  const words = new Map<string, string>([
    ["app", sample.repository],
    ["blob", sample.blobDigest],
    ["image", sample.imageDigest],
    ["other", sample.otherDigest],
    ["missing", sample.missing],
  ]);
  const filled = (text: string): string => text.replace(/\{(\w+)\}/g, (word, name: string) => words.get(name) ?? word);

  const ask = async (wanted: Ask): Promise<Answered> => {
    const request = requestOf(wanted, filled);
    const answer = await send(registry, request);
    const what = `${request.method} ${request.target.slice(0, 200)}: ${answer.status} ${new TextDecoder().decode(answer.bytes.subarray(0, 300))}`;
    assert.equal(answer.status, wanted.status, what);
    checkAnswer(request, answer, what);
    onAnswer(request, toldBy(request, answer));
    if (wanted.code !== undefined)
      assert.equal(JSON.parse(new TextDecoder().decode(answer.bytes)).errors[0].code, wanted.code, what);
    for (const [name, value] of Object.entries(wanted.shows ?? {})) {
      const shown = header(answer.headers, name);
      if (value === null) assert.equal(shown, undefined, what);
      else if (typeof value === "string") assert.equal(shown, filled(value), what);
      else assert.match(shown ?? "", value, what);
    }
    if (wanted.says instanceof Uint8Array) assert.equal(Buffer.compare(answer.bytes, wanted.says), 0, what);
    else if (wanted.says !== undefined) assert.match(new TextDecoder().decode(answer.bytes), wanted.says, what);
    if (request.method === "GET") {
      const head: HttpRequest = { ...request, method: "HEAD" };
      checkHead(request, answer, head, await send(registry, head), what);
    }
    const location = header(answer.headers, "Location");
    if (location !== undefined) words.set("location", location);
    const digest = header(answer.headers, "Docker-Content-Digest");
    if (digest !== undefined) words.set("digest", digest);
    return answer;
  };

  /** A session that another one is told from by the word for it. */
  const session = async (word: string, body: string, as?: string): Promise<void> => {
    const who = as === undefined ? {} : { as };
    await ask({ ask: "POST /v2/{app}/blobs/uploads/", status: 202, ...who });
    words.set(word, (words.get("location") ?? "").split("/").at(-1) ?? "");
    if (body !== "") await ask({ ask: `PATCH /v2/{app}/blobs/uploads/{${word}}`, body, status: 202, ...who });
  };

  for (const content of [sample.config, sample.layer, sample.blob])
    await ask({ ask: `POST /v2/{app}/blobs/uploads/?digest=${digestOf(content)}`, body: content, status: 201 });
  await ask({
    ask: "PUT /v2/{app}/manifests/latest",
    headers: { "Content-Type": mediaTypes.ociManifest },
    body: sample.image,
    status: 201,
  });
  await session("session", "hello");
  await session("foreign", "hello", "ann");
  await session("finished", "");
  await ask({
    ask: `PUT /v2/{app}/blobs/uploads/{finished}?digest=${digestOf(new TextEncoder().encode("done"))}`,
    body: "done",
    status: 201,
  });
  await session("cancelled", "hello");
  await ask({ ask: "DELETE /v2/{app}/blobs/uploads/{cancelled}", status: 204 });
  return { registry, notices, ask };
};

const requestOf = (wanted: Ask, filled: (text: string) => string): HttpRequest => {
  const { headers = {}, body, as } = wanted;
  const space = wanted.ask.indexOf(" ");
  const pairs = Object.entries(headers).map(([name, value]) => [name, filled(value)] as const);
  return {
    method: wanted.ask.slice(0, space),
    origin: "http://registry.test",
    target: filled(wanted.ask.slice(space + 1)),
    headers: [...pairs, ...(as === undefined ? [] : [["X-Test-User", as] as const])],
    ...(body === undefined
      ? {}
      : { body: bodyOf(typeof body === "string" ? new TextEncoder().encode(body) : body, wanted.length) }),
  };
};

const bodyOf = (bytes: Uint8Array, length: Ask["length"] = bytes.byteLength): Body => {
  const body = bytesBody(bytes);
  return { ...(length === "unknown" ? {} : { length }), chunks: body.chunks, discard: async () => {} };
};

const toldBy = ({ method }: HttpRequest, { status, bytes }: Answered): string =>
  status < 400 || method === "HEAD"
    ? `${status}`
    : `${status} ${JSON.parse(new TextDecoder().decode(bytes)).errors[0].code}`;

const send = async (registry: Registry, request: HttpRequest): Promise<Answered> => {
  const { status, headers, body } = await registry(request);
  const parts: Uint8Array[] = [];
  for await (const part of body.chunks) parts.push(part);
  return { status, headers, bytes: new Uint8Array(Buffer.concat(parts)) };
};
