import type { Case } from "../case.ts";
import { blob } from "../sample.ts";

const get = "GET /v2/{app}/blobs/{blob}";
const size = blob.byteLength;
const whole = { status: 200, says: blob, shows: { "Content-Range": null, "Accept-Ranges": "bytes" } } as const;
const part = (start: number, end: number) =>
  ({
    status: 206,
    says: blob.subarray(start, end + 1),
    shows: { "Content-Range": `bytes ${start}-${end}/${size}`, "Content-Length": String(end + 1 - start) },
  }) as const;
const none = { status: 416, code: "SIZE_INVALID", shows: { "Content-Range": `bytes */${size}` } } as const;
const parts = (count: number) =>
  ({
    status: 206,
    shows: { "Content-Type": /^multipart\/byteranges; boundary=[0-9a-f]{30}$/, "Content-Range": null },
    says: new RegExp(
      `^--(?:[^]*?\\r\\nContent-Range: bytes \\d+-\\d+/${size}\\r\\n){${count}}(?![^]*Content-Range)[^]*--\\r\\n$`,
    ),
  }) as const;
const list = (count: number, range: (i: number) => string): string =>
  `bytes=${Array.from({ length: count }, (_, i) => range(i)).join(",")}`;

const asked = (name: string, range: string, expected: Omit<Case, "name" | "ask">): Case => ({
  name: `${name}: ${range.slice(0, 40)}`,
  ask: get,
  headers: { Range: range },
  ...expected,
});

export const ranges: readonly Case[] = [
  asked("the suite's", "bytes=500-1499", part(500, 1499)),
  asked("the suite's", "bytes=500-", part(500, size - 1)),
  asked("the suite's", "bytes=-500", part(size - 500, size - 1)),
  asked("the suite's", "bytes=1000-5000", part(1000, size - 1)),
  asked("the suite's", "bytes=500-0", none),
  asked("the suite's", "bytes=5000-10000", none),
  asked("the first byte", "bytes=0-0", part(0, 0)),
  asked("the last byte", "bytes=-1", part(size - 1, size - 1)),
  asked("no last byte", "bytes=-0", none),
  asked("more last bytes than there are", "bytes=-99999", part(0, size - 1)),
  asked("just behind the end", `bytes=${size}-`, none),
  asked("all of it", "bytes=0-", part(0, size - 1)),
  asked("numbers beyond 2^53", "bytes=9007199254740993-9007199254740999", none),
  asked("an end beyond 2^53", "bytes=0-99999999999999999999", part(0, size - 1)),
  asked("capitals", "BYTES=0-9", part(0, 9)),
  asked("white space", " bytes=0-9 ", part(0, 9)),
  asked("another unit", "lines=0-9", whole),
  asked("no unit", "0-9", whole),
  asked("nothing", "bytes=", whole),
  asked("a dash", "bytes=-", whole),
  asked("two dashes", "bytes=0--1", whole),
  asked("below nothing", "bytes=--5", whole),
  asked("hex", "bytes=0x0-0x9", whole),
  asked("a word", "bytes=a-b", whole),
  asked("one good and one bad", "bytes=0-9,x", whole),
  asked("a comma at the end", "bytes=0-9,", part(0, 9)),
  asked("commas alone", "bytes=, ,", whole),
  asked("two", "bytes=0-9,20-29", parts(2)),
  asked("two with white space", "bytes=0-9 , 20-29", parts(2)),
  asked("two, one behind the end", "bytes=0-9,5000-6000", part(0, 9)),
  asked("two behind the end", "bytes=5000-6000,7000-", none),
  asked("two that overlap", "bytes=0-99,50-149", parts(2)),
  asked("out of order", "bytes=100-109,0-9", parts(2)),
  asked(
    "1,024",
    list(1024, (i) => `${2 * i}-${2 * i}`),
    parts(1024),
  ),
  asked(
    "1,025 are too many",
    list(1025, (i) => `${i}-${i}`),
    whole,
  ),
  asked("three that overlap", "bytes=0-9,5-14,12-20", whole),
  asked(
    "10,000 are too many",
    list(10_000, () => "0-"),
    whole,
  ),
  asked(
    "the whole many times over",
    list(16, () => "0-"),
    whole,
  ),
  asked("nearly the whole twice", "bytes=0-2000,1-2001", whole),
  {
    name: "If-Range of this content",
    ask: get,
    headers: { Range: "bytes=0-9", "If-Range": '"{blob}"' },
    ...part(0, 9),
  },
  { name: "If-Range of other content", ask: get, headers: { Range: "bytes=0-9", "If-Range": '"{image}"' }, ...whole },
  { name: "If-Range that is weak", ask: get, headers: { Range: "bytes=0-9", "If-Range": 'W/"{blob}"' }, ...whole },
  {
    name: "If-Range of a date",
    ask: get,
    headers: { Range: "bytes=0-9", "If-Range": "Thu, 01 Jan 1970 00:00:00 GMT" },
    ...whole,
  },
  {
    name: "HEAD has no range",
    ask: "HEAD /v2/{app}/blobs/{blob}",
    headers: { Range: "bytes=0-9" },
    status: 200,
    shows: { "Content-Length": String(size), "Content-Range": null },
  },
  {
    name: "a manifest has no range",
    ask: "GET /v2/{app}/manifests/latest",
    headers: { Range: "bytes=0-9" },
    status: 200,
    shows: { "Content-Range": null },
  },
  {
    name: "an empty blob is whole whatever part is asked for",
    before: [
      {
        ask: "POST /v2/{app}/blobs/uploads/?digest=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        status: 201,
      },
      { ask: "GET {location}", status: 200, shows: { "Content-Length": "0" } },
    ],
    ask: "GET {location}",
    headers: { Range: "bytes=0-0" },
    status: 200,
    shows: { "Content-Length": "0", "Content-Range": null },
  },
];
