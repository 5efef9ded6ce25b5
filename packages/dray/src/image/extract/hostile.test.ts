import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { temporaryFolder } from "@dray/testkit/files";
import { type HostileImage, hostileImages } from "../../../test/hostile-images.ts";
import { imageOf, imageOfTars, layerTar } from "../../../test/tree-image.ts";
import { isDrayError } from "../../errors.ts";
import { decodeText } from "../../tar/index.ts";
import { exportTar } from "../tree/index.ts";
import type { Image } from "../views.ts";
import { extract } from "./extract.ts";

const run = promisify(execFile);
const hasTar = ((): boolean => {
  try {
    return execFileSync("tar", ["--version"]).toString().includes("GNU tar");
  } catch {
    return false;
  }
})();

/** What is below a directory, in the notation of the images. */
const linesOf = (root: string): string[] => {
  const lines: string[] = [];
  const walk = (folder: Buffer, inside: string): void => {
    for (const name of readdirSync(folder, { encoding: "buffer" })) {
      const at = Buffer.concat([folder, Buffer.from("/"), name]);
      const path = `${inside}${decodeText(name)}`;
      const facts = lstatSync(at);
      if (facts.isSymbolicLink()) lines.push(`${path}->${decodeText(readlinkSync(at, { encoding: "buffer" }))}`);
      else if (facts.isFIFO()) lines.push(`${path}|`);
      else if (facts.isFile()) lines.push(`${path}=${readFileSync(at, "utf8")}`);
      else {
        lines.push(`${path}/`);
        walk(at, `${path}/`);
      }
    }
  };
  walk(Buffer.from(root), "");
  return lines.sort();
};

describe("hostile and odd images", () => {
  const folder = temporaryFolder("hostile");
  const canary = join(folder, "outside/secret");
  const all = hostileImages(canary);
  let outside: string[];

  before(() => {
    mkdirSync(join(folder, "outside"));
    writeFileSync(canary, "untouched");
    mkdirSync(join(folder, "deep/deeper"), { recursive: true });
    outside = facts();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** What is outside, with modes, owners and times. */
  const facts = (): string[] => [
    ...linesOf(folder),
    ...["outside", "outside/secret"].map((path) => {
      const { mode, uid, mtimeMs } = lstatSync(join(folder, path));
      return `${path} ${mode} ${uid} ${mtimeMs}`;
    }),
  ];

  const exported = async (image: Image, file: string): Promise<void> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of exportTar(image)) chunks.push(chunk);
    await writeFile(file, Buffer.concat(chunks));
  };

  const check = async ({ name, layers, wanted, notByTar }: HostileImage, byTar: boolean): Promise<void> => {
    const image = await imageOf(...layers);
    const dir = join(folder, "deep/deeper/root");
    if (typeof wanted === "string") {
      await assert.rejects(extract(image, dir), (error: unknown) => {
        assert.ok(isDrayError(error, wanted), `${name}: ${String(error)}`);
        return true;
      });
    } else {
      await extract(image, dir);
      // Pipes are left out, and what leads to them.
      const made = wanted.filter((line) => !line.endsWith("|")).sort();
      assert.deepEqual(linesOf(dir), made, name);
      await rm(dir, { recursive: true });
      if (byTar && notByTar === undefined) {
        const file = join(folder, "..", `${folder.split("/").at(-1)}.tar`);
        await exported(image, file);
        mkdirSync(dir);
        const { stderr } = await run("tar", ["-xf", file, "-C", dir]);
        assert.equal(stderr, "", name);
        assert.deepEqual(linesOf(dir), [...wanted].sort(), name);
        await rm(dir, { recursive: true });
        await rm(file);
      }
    }
    assert.deepEqual(facts(), outside, `${name} has reached something outside`);
  };

  test("at least three hundred are there", () => assert.ok(all.length >= 300, String(all.length)));

  const groups = new Map<string, HostileImage[]>();
  for (const image of all) {
    const group = typeof image.wanted === "string" ? "refused" : "as written";
    groups.set(group, [...(groups.get(group) ?? []), image]);
  }
  for (const [group, images] of groups)
    test(`${images.length} are ${group}, and nothing is outside the root; an eighth by GNU tar, too`, async (t) => {
      if (!hasTar) {
        console.error("hostile.test.ts: GNU tar is not here: not compared");
        t.diagnostic("GNU tar is not here: not compared");
      }
      const isLong = process.env["DRAY_LONG_TESTS"] === "1";
      for (const [i, image] of images.entries()) await check(image, hasTar && (isLong || i % 8 === 0));
    });

  test("a layer that is cut at any byte is refused, and one with something behind it is not", async () => {
    const tar = layerTar(["a=1", "d/", { name: "d/b", body: "x".repeat(600) }, "c=>a"]);
    for (const length of [1, 100, 511, 512, 1100, 1535, 1600, 2048, 2100, 2559, 2647, 3100, 3583]) {
      const image = await imageOfTars([tar.slice(0, length)]);
      await assert.rejects(extract(image, join(folder, "cut")), (error: unknown) =>
        isDrayError(error, "ARCHIVE_INVALID"),
      );
    }
    for (const behind of [new Uint8Array(10_240), Buffer.from("garbage"), Buffer.alloc(700, 0xff)]) {
      const dir = join(folder, "behind");
      await extract(await imageOfTars([Buffer.concat([tar, behind])]), dir);
      assert.equal(linesOf(dir).length, 4);
      await rm(dir, { recursive: true });
    }
    assert.deepEqual(facts(), outside);
  });

  test("gzip of two members is both, what follows gzip counts for nothing, and what is damaged is refused", async () => {
    const tar = Buffer.from(layerTar(["a=1", { name: "b", body: "x".repeat(3000) }]));
    const two = Buffer.concat([gzipSync(tar.subarray(0, 1000)), gzipSync(tar.subarray(1000))]);
    const whole = gzipSync(tar);
    const damaged = Buffer.from(whole);
    damaged[whole.length - 6] = (damaged[whole.length - 6] as number) ^ 1;
    for (const [bytes, isWhole] of [
      [two, true],
      [Buffer.concat([whole, new Uint8Array(512)]), true],
      [whole.subarray(0, -9), false],
      [whole.subarray(0, 30), false],
      [damaged, false],
    ] as const) {
      const dir = join(folder, "gzip");
      const image = await imageOfTars([tar], { packed: [bytes] });
      if (isWhole) {
        await extract(image, dir);
        assert.equal(linesOf(dir).length, 2);
        await rm(dir, { recursive: true });
      } else
        await assert.rejects(extract(image, dir), (error: unknown) => {
          assert.ok(isDrayError(error, "MANIFEST_INVALID"), String(error));
          assert.match(error.message, /^layer sha256:/);
          return true;
        });
    }
    assert.deepEqual(facts(), outside);
  });
});
