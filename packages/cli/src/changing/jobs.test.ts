/** What is said by --jobs holds for every command that moves images: with one, no two bodies are on their way at once. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { type Listener, listen, memoryRegistry, put, sampleImage, sampleIndex, seededBytes, tar } from "@dray/testkit";
import type { Handler } from "dray/http";
import { commands } from "../../test/commands.ts";

const layer = (i: number): Uint8Array => tar([{ path: `f${i}`, kind: "file", bytes: seededBytes(`jobs/${i}`, 3000) }]);
const layers = Array.from({ length: 10 }, (_, i) => layer(i));

const { registry: source, host: from, at, done } = await commands("jobs");

describe("--jobs 1", () => {
  const target = memoryRegistry({ mounts: false });
  let under = 0;
  let most = 0;
  let bodies = 0;
  /** Counts blobs that are on their way at the same time. */
  const counting: Handler = async (request) => {
    if (!(/^P(?:UT|ATCH|OST)$/.test(request.method) && request.target.includes("/blobs/uploads/") && hasBody(request)))
      return target.handler(request);
    bodies++;
    most = Math.max(most, ++under);
    try {
      // Long enough for another one to come.
      await setTimeout(10);
      return await target.handler(request);
    } finally {
      under--;
    }
  };
  const hasBody = ({ headers }: Parameters<Handler>[0]): boolean =>
    headers.some(([name, value]) => name.toLowerCase() === "content-length" && value !== "0") ||
    headers.some(([name]) => name.toLowerCase() === "transfer-encoding");
  let to: Listener;

  before(async () => {
    put(source, "app", "1", sampleImage({ tars: layers }));
    put(source, "app", "multi", sampleIndex({ image: { tars: layers } }));
    put(source, "base", "1", sampleImage({ tars: layers.slice(0, 1) }));
    put(source, "base", "2", sampleImage({ tars: [layer(20), layer(21), layer(22), layer(23)] }));
    to = await listen(counting);
    await done("pull", `${from}/app:1`, at("app.tar"));
  });
  after(() => to.close());

  const rows: readonly string[] = [
    "copy SOURCE/app:1 OUT",
    "push FILE OUT",
    "mutate -l a=b -t OUT SOURCE/app:1",
    "rebase --old_base SOURCE/base:1 --new_base SOURCE/base:2 -t OUT SOURCE/app:1",
    "index append -m SOURCE/app:1 -t OUT",
    "index filter --platform linux/amd64 -t OUT SOURCE/app:multi",
    "index remove --platform linux/arm64 -t OUT SOURCE/app:multi",
    "index annotate -a a=b -t OUT SOURCE/app:multi",
    "flatten -t OUT SOURCE/app:1",
    "squash --from 6 -t OUT SOURCE/app:1",
    "recompress --level 9 -t OUT SOURCE/app:1",
    "recompress --compression zstd -t OUT SOURCE/app:multi",
  ];
  for (const [i, row] of rows.entries())
    test(row.split(" -")[0] ?? "", async () => {
      [most, bodies] = [0, 0];
      const words = row
        .replaceAll("SOURCE", from)
        .replaceAll("OUT", `${to.host}/out/${i}:1`)
        .replaceAll("FILE", at("app.tar"))
        .split(" ");
      await done(...words, "--jobs", "1");
      assert.ok(bodies > 1, `${bodies} bodies`);
      assert.equal(most, 1);
    });
});
