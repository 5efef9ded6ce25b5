import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { type Listener, listen, memoryRegistry, put, sampleImage } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";

const main = join(import.meta.dirname, "main.ts");

describe("a list or an archive that its reader cuts, through a pipe", {
  skip: process.platform === "win32" && "no pipes of a shell",
}, () => {
  let home = "";
  let server: Listener;
  after(() => server.close());
  before(async () => {
    home = temporaryFolder("cut");
    mkdirSync(`${home}/l`);
    // Longer than a pipe and a reader's own buffer hold.
    const manifests = Array.from({ length: 6_000 }, (_, i) => ({
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: `sha256:${`${i}`.padStart(64, "0")}`,
      size: 2,
      annotations: { "org.opencontainers.image.ref.name": `v${`${i}`.padStart(60, "0")}` },
    }));
    writeFileSync(`${home}/l/index.json`, JSON.stringify({ schemaVersion: 2, manifests }));
    const registry = memoryRegistry();
    for (const tag of ["1", "2"]) put(registry, "app", tag, sampleImage({ seed: tag, layers: 4, layerSize: 200_000 }));
    server = await listen(registry.handler);
  });

  const rows: readonly [words: string, reader: string, prints: RegExp][] = [
    [`ls oci:l`, "head -1", /^v0+\n$/],
    [`ls --sort natural oci:l`, "grep -q v", /^$/],
    [`ls -o json oci:l`, "head -c 1", /^\{$/],
    ["pull $HOST/app:1 -", "head -c 1", /^[a-z]$/],
    ["pull --format oci $HOST/app:1 -", "head -c 1", /^b$/],
    ["cp -a $HOST/app oci-archive:-", "head -c 1", /^b$/],
  ];
  for (const [i, [words, reader, prints]] of rows.entries())
    it(`dray ${words} | ${reader}`, async () => {
      const line = `{ "$0" "$1" ${words}; echo $? > code${i}; } | ${reader}`;
      const env = { PATH: process.env["PATH"], HOME: home, HOST: server.host };
      const { stdout, stderr } = await promisify(execFile)("sh", ["-c", line, process.execPath, main], {
        cwd: home,
        env,
      });
      assert.equal(stderr, "");
      assert.match(stdout, prints);
      assert.equal(readFileSync(join(home, `code${i}`), "utf8"), "141\n");
    });
});
