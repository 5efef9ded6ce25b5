/** What a release consists of: README names all of it, the bill of materials has what is in the executable, and what proves it can be verified. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { branches } from "../packages/cli/src/commands/index.ts";
import { licensesOf, packageFolder } from "./licenses.ts";
import { signSums, writeSums } from "./release/checksums.ts";
import { manPages, manualArchive } from "./release/manual.ts";
import { billOfMaterials, foldersNeeded, type Lock } from "./release/sbom.ts";
import { companions, targets, untriable } from "./release/targets.ts";
import { root } from "./runtimes.ts";

const text = (file: string): string => readFileSync(join(root, file), "utf8");
const has = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

test("README's Install names each file of a release, and none besides", () => {
  const [, install = ""] = /\n## Install\n([^]*?)\n## /.exec(text("README.md")) ?? [];
  const named = new Set(
    install.match(/\bdray-[a-z0-9.-]*[a-z0-9]|\bdray\.cdx\.json|SHA256SUMS(?:\.sig)?|\ballowed_signers\b/g),
  );
  assert.deepEqual([...named].sort(), [...targets.map(({ file }) => file), ...Object.values(companions)].sort());
});

test("an executable is tried where its system, processor and loader are", () => {
  const machine = { platform: "linux", arch: "x64", has: (file: string) => file.endsWith("nothing") };
  const tried = targets.filter((target) => untriable(target, machine) === undefined).map(({ file }) => file);
  assert.deepEqual(tried, ["dray-linux-x64", "dray-linux-x64-baseline"]);
  const alpine = targets.filter((target) => untriable(target, { ...machine, has: () => true }) === undefined);
  assert.ok(alpine.some(({ file }) => file === "dray-linux-x64-musl"));
});

test("the bill of materials has what the lock says is needed to run, the runtime, and nothing of development", () => {
  const lock = JSON.parse(text("package-lock.json")) as Lock;
  const bill = JSON.parse(JSON.stringify(billOfMaterials(lock, "packages/cli")));
  const names: string[] = bill.components.map(({ name }: { name: string }) => name);
  const ours = ["cli", "server", "service", "dray"].map((name) => JSON.parse(text(`packages/${name}/package.json`)));
  const direct = ours.flatMap(({ dependencies = {} }) => Object.keys(dependencies));
  for (const name of [...direct, "bun", "tdigest"]) assert.ok(names.includes(name), name);
  for (const name of ["@dray/testkit", "typescript", "esbuild", "knip"]) assert.ok(!names.includes(name), name);
  assert.equal(bill.metadata.component.name, "@dray/cli");
  assert.equal(bill.bomFormat, "CycloneDX");
  for (const { name, version, purl, hashes } of bill.components) {
    assert.match(purl, /^pkg:npm\/.+@\d/, name);
    assert.ok(purl.endsWith(`@${version}`));
    if (!/^(?:@dray\/|dray$)/.test(name)) assert.match(hashes?.[0]?.content, /^[0-9a-f]{128}$/, name);
  }
  const references = new Set([bill.metadata.component, ...bill.components].map((each) => each["bom-ref"]));
  for (const { ref, dependsOn } of bill.dependencies)
    for (const each of [ref, ...dependsOn]) assert.ok(references.has(each), each);
});

test("the licences of all that is in an executable go with it, each text once", () => {
  const lock = JSON.parse(text("package-lock.json")) as Lock;
  const licenses = licensesOf(foldersNeeded(lock, "packages/cli"));
  for (const name of ["commander", "@aws-sdk/client-ecr", "google-auth-library", "@azure/identity", "bun"])
    assert.match(licenses, new RegExp(`^(?:.*, )?${name} \\d`, "m"), name);
  assert.doesNotMatch(licenses, /^(?:.*, )?typescript \d/m);
  const parts = licenses.split(`\n${"-".repeat(80)}\n\n`).map((part) => part.slice(part.indexOf("\n")));
  assert.equal(new Set(parts).size, parts.length);
  assert.equal(packageFolder("node_modules/a/node_modules/@b/c/lib/d.js"), "node_modules/a/node_modules/@b/c");
  assert.equal(packageFolder("packages/cli/src/main.ts"), undefined);
});

test("checksums and signature are what sha256sum and ssh-keygen verify", (t) => {
  if (!has("ssh-keygen") || !has("sha256sum")) return t.skip("there is no ssh-keygen or sha256sum here");
  const folder = mkdtempSync(join(tmpdir(), "dray-release-"));
  try {
    const run = (program: string, words: string[], input = ""): string =>
      execFileSync(program, words, { cwd: folder, input, encoding: "utf8", stdio: "pipe" });
    run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", "key"]);
    for (const name of ["b", "a"]) writeFileSync(join(folder, name), name);
    return writeSums(folder, ["b", "a"])
      .then(() => {
        assert.match(run("sha256sum", ["--check", companions.sums]), /a: OK\nb: OK/);
        const fingerprint = signSums(folder, join(folder, "key"));
        assert.equal(fingerprint, run("ssh-keygen", ["-l", "-f", "key.pub"]).split(" ")[1]);
        // As README says it, with what a release has and nothing else.
        for (const name of ["key", "key.pub"]) renameSync(join(folder, name), join(folder, `kept-${name}`));
        const [, look = ""] = /ssh-keygen (-lf \w+)/.exec(text("README.md")) ?? [];
        assert.ok(run("ssh-keygen", look.split(" ")).includes(fingerprint));
        const [, words = ""] = /ssh-keygen (-Y verify .*) < SHA256SUMS\b/.exec(text("README.md")) ?? [];
        const verify = (): string =>
          run("ssh-keygen", words.split(" "), readFileSync(join(folder, companions.sums), "utf8"));
        assert.match(verify(), /Good "file" signature for dray/);
        appendFileSync(join(folder, companions.sums), "x");
        assert.throws(verify);
        // Without its public half beside it, the same; somebody else's key is none of the signers.
        renameSync(join(folder, "kept-key"), join(folder, "key"));
        assert.equal(signSums(folder, join(folder, "key")), fingerprint);
        verify();
        run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", "other"]);
        const signers = readFileSync(join(folder, companions.signers), "utf8");
        signSums(folder, join(folder, "other"));
        writeFileSync(join(folder, companions.signers), signers);
        assert.throws(verify);
        assert.throws(
          () => signSums(folder, join(folder, "nokey")),
          /DRAY_RELEASE_KEY=.*nokey: ssh-keygen did not sign/,
        );
      })
      .finally(() => rmSync(folder, { recursive: true, force: true }));
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
});

test("each command has its man page, with its flags and examples, and roff has nothing to say against it", async () => {
  const pages = await manPages();
  const names = branches.flatMap(({ name, branches: below = [] }) => [
    name,
    ...below.map((each) => `${name}-${each.name}`),
  ]);
  for (const name of names) assert.ok(pages.has(`man1/dray-${name}.1`), name);
  assert.equal(pages.size, names.length + 1);
  assert.match(
    pages.get("man1/dray-copy.1") ?? "",
    /\\fB\\-\\-referrers\\fR[^]*ONE END ONLY[^]*\\-\\-src\\-ca\\-file[^]*EXAMPLES/,
  );
  assert.match(pages.get("man1/dray-serve-check-config.1") ?? "", /\n\.B dray serve check\\-config\n/);
  assert.match(pages.get("man1/dray.1") ?? "", /GLOBAL OPTIONS[^]*\\-\\-timeout[^]*EXIT STATUS[^]*fB130/);
  const archive = gunzipSync(await manualArchive()).toString("latin1");
  for (const file of ["man/man1/dray.1", "bash-completion/completions/dray", "_dray", "dray.fish"])
    assert.ok(archive.includes(file), file);
  if (!has("groff")) return;
  for (const [file, page] of pages) {
    const { stderr } = spawnSync("groff", ["-man", "-z", "-ww"], { input: page, encoding: "utf8" });
    assert.equal(stderr, "", file);
  }
});
