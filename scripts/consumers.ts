/**
 * `npm run consumers [-- PART…]`: the packages as they are published, in the hands of those who take them: bundled, on each runtime from the
 * oldest one on, in test runners as they come, under each TypeScript. The tools have a lock of their own here:
 * `npm ci --prefix e2e/consumers` brings them.
 */
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { listen, memoryRegistry } from "@dray/testkit";
import { bytesContent, copy, type Descriptor, digestOf, mediaTypes, memoryStore, open } from "dray";
import { reasonOf } from "dray/errors";
import { buildPackages } from "./build-packages.ts";
import { bundlers } from "./consumers/bundlers.ts";
import { type Case, installed, program, run } from "./consumers/case.ts";
import { runtimes } from "./consumers/runtimes.ts";
import { testRunners } from "./consumers/test-runners.ts";
import { typescripts } from "./consumers/typescripts.ts";
import { root } from "./runtimes.ts";

const main = async (parts: readonly string[]): Promise<number> => {
  if (!existsSync(installed("miniflare"))) {
    console.error("the tools are not here; bring them: npm ci --prefix e2e/consumers");
    return 2;
  }
  const all: readonly Case[] = [...runtimes, ...bundlers, ...testRunners, ...typescripts];
  const cases = all.filter(({ name }) => parts.length === 0 || parts.some((part) => name.includes(part)));
  const folder = mkdtempSync(join(tmpdir(), "dray-consumers-"));
  const registry = await listen(memoryRegistry().handler);
  let failed = 0;
  try {
    await install(folder);
    await writeZstd(folder);
    for (const [at, each] of cases.entries()) {
      const own = join(folder, `case-${at}`);
      mkdirSync(own);
      try {
        console.log(`  ok   ${each.name.padEnd(52)} ${await each.run({ folder: own, host: registry.host })}`);
      } catch (error) {
        failed += 1;
        console.log(`  FAIL ${each.name}\n${reasonOf(error)}`);
      }
      rmSync(own, { recursive: true, force: true });
    }
  } finally {
    await registry.close();
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`\n${cases.length - failed} passed, ${failed} failed`);
  return failed === 0 && cases.length > 0 ? 0 : 1;
};

/** Packs what is published and installs it in an empty project, beside the programs. */
const install = async (folder: string): Promise<void> => {
  await buildPackages();
  const packed = [];
  for (const source of globSync("dist/npm/*", { cwd: root }).sort()) {
    const name = await run(root, ["npm", "pack", `./${source}`, "--silent", "--pack-destination", folder]);
    packed.push(join(folder, name));
  }
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
  writeFileSync(join(folder, "module.json"), JSON.stringify({ private: true, type: "module" }));
  writeFileSync(join(folder, "commonjs.json"), JSON.stringify({ private: true }));
  const flags = ["--prefer-offline", "--no-audit", "--no-fund", "--silent"];
  await run(folder, ["npm", "install", "--prefix", folder, ...flags, ...packed]);
  cpSync(program("programs"), folder, { recursive: true });
};

/** A layout whose one layer is compressed by zstd. */
const writeZstd = async (folder: string): Promise<void> => {
  const tar = new Uint8Array(1024);
  const layer = zstdCompressSync(tar);
  const config = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [digestOf(tar)] } };
  const json = (value: object): Uint8Array => Buffer.from(JSON.stringify(value));
  const store = memoryStore();
  const add = async (mediaType: string, bytes: Uint8Array): Promise<Descriptor> => {
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
    await store.write(descriptor, bytesContent(bytes));
    return descriptor;
  };
  const parts = {
    config: await add(mediaTypes.ociConfig, json(config)),
    layers: [await add(mediaTypes.ociLayerZstd, layer)],
  };
  const image = await add(
    mediaTypes.ociManifest,
    json({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, ...parts }),
  );
  const source = { store, name: image.digest, location: "memory" };
  await copy(source, await open(`oci:${join(folder, "zstd")}:v1`));
};

process.exitCode = await main(process.argv.slice(2));
