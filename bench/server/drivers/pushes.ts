/** Many small blobs, some at a time, each POST and PUT over kept connections. All bytes and digests are there before the clock starts. */
import { createHash, randomBytes } from "node:crypto";
import { Agent, type IncomingMessage, request } from "node:http";
import { tell, told } from "./drive.ts";

export interface PushesOptions {
  readonly origin: string;
  readonly repository: string;
  readonly count: number;
  readonly size: number;
  readonly parallel: number;
}

export interface PushesResult {
  readonly seconds: number;
  /** Milliseconds of a blob, from POST to the answer of PUT. */
  readonly p99: number;
}

const { origin, repository, count, size, parallel } = told<PushesOptions>();
const agent = new Agent({ keepAlive: true, maxSockets: parallel });
const shared = randomBytes(size);
const blobs = Array.from({ length: count }, () => {
  const head = randomBytes(32);
  const hash = createHash("sha256").update(head).update(shared.subarray(head.length));
  return { head, digest: `sha256:${hash.digest("hex")}` };
});

const send = (
  method: string,
  url: string,
  parts: readonly Uint8Array[],
): Promise<{ status: number; location: string }> =>
  new Promise((resolve, reject) => {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const asking = request(
      url,
      { method, agent, headers: { "Content-Length": length } },
      (response: IncomingMessage) => {
        response.resume().on("end", () => {
          resolve({ status: response.statusCode as number, location: response.headers.location ?? "" });
        });
      },
    );
    asking.on("error", reject);
    for (const part of parts) asking.write(part);
    asking.end();
  });

const push = async ({ head, digest }: (typeof blobs)[number]): Promise<void> => {
  const opened = await send("POST", `${origin}/v2/${repository}/blobs/uploads/`, []);
  if (opened.status !== 202) throw new Error(`POST was answered ${opened.status}`);
  const place = new URL(opened.location, origin);
  place.searchParams.set("digest", digest);
  const { status } = await send("PUT", place.href, [head, shared.subarray(head.length)]);
  if (status !== 201) throw new Error(`PUT was answered ${status}`);
};

const times: number[] = [];
const waiting = blobs.values();
const begun = performance.now();
await Promise.all(
  Array.from({ length: parallel }, async () => {
    for (const blob of waiting) {
      const since = performance.now();
      await push(blob);
      times.push(performance.now() - since);
    }
  }),
);
const seconds = (performance.now() - begun) / 1000;
agent.destroy();
times.sort((a, b) => a - b);
tell({ seconds, p99: times[Math.floor(times.length * 0.99)] as number } satisfies PushesResult);
