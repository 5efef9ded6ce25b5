import { digestOf } from "dray/oci";
import type { Ask, Case } from "../case.ts";

const hello = digestOf(new TextEncoder().encode("hello"));
const empty = digestOf(new Uint8Array(0));
const at = (id: string, repository = "{app}"): string => `/v2/${repository}/blobs/uploads/${id}`;
const unknown = { status: 404, code: "BLOB_UPLOAD_UNKNOWN" } as const;
/** It is as it was. */
const still: readonly Ask[] = [{ ask: `GET ${at("{session}")}`, status: 204, shows: { Range: "0-4" } }];

/** All that can be done with a session. */
const everything = (what: string, path: string, more: Partial<Case> = {}): Case[] => [
  { name: `GET ${what}`, ask: `GET ${path}`, ...unknown, ...more },
  { name: `PATCH ${what}`, ask: `PATCH ${path}`, body: "x", ...unknown, ...more },
  { name: `PUT ${what}`, ask: `PUT ${path}?digest=${hello}`, ...unknown, ...more },
  { name: `DELETE ${what}`, ask: `DELETE ${path}`, ...unknown, ...more },
];

const malformed: Readonly<Record<string, string>> = {
  "a short id": "1234",
  "an id in capitals": "01234567-89AB-CDEF-0123-456789ABCDEF",
  "an id with something behind": "01234567-89ab-cdef-0123-456789abcdef0",
  "a way up": "..",
  here: ".",
  "an escaped way up": "%2e%2e",
  "an escaped path": "..%2f..%2f_manifests",
  "a zero": "01234567-89ab-cdef-0123-456789abcde\0",
  "an escaped zero": "01234567-89ab-cdef-0123-456789abcdef%00",
  "a word": "constructor",
  "a long word": "a".repeat(10_000),
};

const chunk = (name: string, range: string, body: string | undefined, expected: Omit<Case, "name" | "ask">): Case => ({
  name: `PATCH ${name}: ${range}`,
  ask: `PATCH ${at("{session}")}`,
  headers: { "Content-Range": range },
  ...(body === undefined ? {} : { body }),
  ...expected,
});
const noRange = { status: 400, code: "BLOB_UPLOAD_INVALID", after: still } as const;
const elsewhere = {
  status: 416,
  code: "BLOB_UPLOAD_INVALID",
  shows: { Range: "0-4", Location: /\/blobs\/uploads\/[0-9a-f-]{36}$/ },
  after: still,
} as const;
const fits = (end: number) => ({ status: 202, shows: { Range: `0-${end}` } }) as const;
const wrongSize = { status: 400, code: "SIZE_INVALID" } as const;

const contentRanges: readonly Case[] = [
  chunk("goes on", "5-9", "world", fits(9)),
  chunk("with a unit", "bytes 5-9", "world", fits(9)),
  chunk("with a unit and a total", "bytes 5-9/10", "world", fits(9)),
  chunk("with an unknown total", "bytes 5-9/*", "world", fits(9)),
  chunk("with white space around", "  5-9 ", "world", fits(9)),
  chunk("of nothing", "5-4", "", fits(4)),
  chunk("of nothing, without a body", "5-4", undefined, fits(4)),
  chunk("begins too early", "0-4", "world", elsewhere),
  chunk("begins one too early", "4-8", "world", elsewhere),
  chunk("leaves a gap", "6-10", "world", elsewhere),
  chunk("begins far out", "999999999999999-999999999999999", "x", elsewhere),
  chunk("beyond all numbers", "9007199254740993-9007199254740997", "world", noRange),
  chunk("reversed", "9-5", "world", noRange),
  chunk("below nothing", "-5-9", "world", noRange),
  chunk("without a start", "-9", "world", noRange),
  chunk("without an end", "5-", "world", noRange),
  chunk("no numbers", "a-b", "world", noRange),
  chunk("empty", "", "world", noRange),
  chunk("with an equals sign", "bytes=5-9", "world", fits(9)),
  chunk("another unit", "lines 5-9", "world", noRange),
  chunk("two of them", "5-9,10-14", "world", noRange),
  chunk("hex", "0x5-0x9", "world", noRange),
  chunk("says less than is announced", "5-8", "world", { ...wrongSize, after: still }),
  chunk("says more than is announced", "5-10", "world", { ...wrongSize, after: still }),
  { ...chunk("says more than comes, not announced", "5-10", "world", wrongSize), length: "unknown", changes: true },
  {
    ...chunk("says less than comes, not announced", "5-8", "world", { ...wrongSize, after: still }),
    length: "unknown",
  },
  { ...chunk("announces more than comes", "5-10", "world", wrongSize), length: 6, changes: true },
  {
    name: "PUT with a chunk that begins elsewhere",
    ask: `PUT ${at("{session}")}?digest=${hello}`,
    headers: { "Content-Range": "6-10" },
    body: "world",
    ...elsewhere,
  },
  {
    name: "PUT with a chunk that is none",
    ask: `PUT ${at("{session}")}?digest=${hello}`,
    headers: { "Content-Range": "x" },
    body: "world",
    ...noRange,
  },
  {
    name: "one POST with a chunk that is none",
    ask: `POST /v2/{app}/blobs/uploads/?digest=${hello}`,
    headers: { "Content-Range": "x" },
    body: "hello",
    status: 400,
    code: "BLOB_UPLOAD_INVALID",
    after: [{ ask: `GET /v2/{app}/blobs/${hello}`, status: 404, code: "BLOB_UNKNOWN" }],
  },
  {
    name: "one POST with a chunk that does not begin at the beginning",
    ask: `POST /v2/{app}/blobs/uploads/?digest=${hello}`,
    headers: { "Content-Range": "5-9" },
    body: "hello",
    status: 416,
    code: "BLOB_UPLOAD_INVALID",
    after: [{ ask: `GET /v2/{app}/blobs/${hello}`, status: 404, code: "BLOB_UNKNOWN" }],
  },
  {
    name: "one POST, a byte more announced than comes",
    ask: `POST /v2/{app}/blobs/uploads/?digest=${hello}`,
    body: "hello",
    length: 6,
    ...wrongSize,
    after: [{ ask: `GET /v2/{app}/blobs/${hello}`, status: 404, code: "BLOB_UNKNOWN" }],
  },
  {
    name: "PUT, a byte less announced than comes",
    ask: `PUT ${at("{session}")}?digest=${hello}`,
    body: "world",
    length: 4,
    ...wrongSize,
    after: still,
  },
];

const bodies: readonly Case[] = [
  { name: "PATCH without a body", ask: `PATCH ${at("{session}")}`, ...fits(4) },
  { name: "PATCH with an empty body", ask: `PATCH ${at("{session}")}`, body: "", ...fits(4) },
  {
    name: "PUT without a body",
    ask: `PUT ${at("{session}")}?digest=${hello}`,
    status: 201,
    after: [{ ask: `GET /v2/{app}/blobs/${hello}`, status: 200, says: /^hello$/ }],
  },
  { name: "PUT with an empty body", ask: `PUT ${at("{session}")}?digest=${hello}`, body: "", status: 201 },
  { name: "one POST without a body, of nothing", ask: `POST /v2/{app}/blobs/uploads/?digest=${empty}`, status: 201 },
  {
    name: "one POST with an empty body, of nothing",
    ask: `POST /v2/{app}/blobs/uploads/?digest=${empty}`,
    body: "",
    status: 201,
  },
  {
    name: "one POST without a body, of something",
    ask: `POST /v2/{app}/blobs/uploads/?digest=${hello}`,
    status: 400,
    code: "DIGEST_INVALID",
  },
  {
    name: "a body with the POST that opens a session is not taken",
    ask: "POST /v2/{app}/blobs/uploads/",
    body: "hello",
    status: 202,
    shows: { Range: "0-0" },
  },
  { name: "mounting what nobody has", ask: "POST /v2/{app}/blobs/uploads/?mount={missing}", status: 202 },
  { name: "mounting from nobody", ask: "POST /v2/{app}/blobs/uploads/?mount={blob}&from=nobody/here", status: 202 },
  { name: "mounting from itself", ask: "POST /v2/{app}/blobs/uploads/?mount={blob}&from={app}", status: 201 },
  {
    name: "mounting without a source",
    ask: "POST /v2/other/blobs/uploads/?mount={blob}",
    status: 201,
    shows: { Location: "/v2/other/blobs/{blob}" },
  },
  {
    name: "mounting wins over a digest",
    ask: `POST /v2/other/blobs/uploads/?mount={missing}&digest=${hello}`,
    body: "hello",
    status: 202,
  },
  { name: "an unknown state of distribution's is passed over", ask: `GET ${at("{session}")}?_state=abc`, status: 204 },
];

export const sessions: readonly Case[] = [
  ...everything("a session of another repository", at("{session}", "team/other"), { after: still }),
  ...everything("a session of another repository, by one inside it", at("{session}", "{app}/inside"), { after: still }),
  ...everything("a session of somebody else", at("{foreign}")),
  ...everything("a session of somebody else, under a name", at("{foreign}"), { as: "eve" }),
  ...everything("nobody's session", at("01234567-89ab-cdef-0123-456789abcdef")),
  ...everything("a finished session", at("{finished}")),
  ...everything("a cancelled session", at("{cancelled}")),
  ...Object.entries(malformed).flatMap(([what, id]) => everything(what, at(id))),
  { name: "the owner's own session", ask: `GET ${at("{foreign}")}`, as: "ann", status: 204, shows: { Range: "0-4" } },
  ...contentRanges,
  ...bodies,
];
