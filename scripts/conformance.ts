/**
 * `npm run conformance`: the public conformance suite of the distribution specification against `dray serve` on a real folder, at
 * the released version, at the draft, and at the draft with sparse manifests, and the counts of each. The suite is a Go program: github.com/opencontainers/distribution-spec,
 * folder `conformance`; `.ci/run` builds it. Its path comes from OCI_CONFORMANCE, or it lies in the folder PEERS.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root } from "./runtimes.ts";

const peers = process.env["PEERS"] ?? join(homedir(), ".cache/dray-peers/bin");
const suite = process.env["OCI_CONFORMANCE"] ?? join(peers, "oci-conformance");

/** The suite's own sums. What a version does not have is disabled there; nothing else is. */
interface Counts {
  readonly total: number;
  readonly passed: number;
  readonly failed: number;
  readonly errors: number;
  readonly skipped: number;
  readonly disabled: number;
}

/** What the version turns on is on; nothing is turned off here. Sparse images are taken by an operator who wants them alone. */
const runs: readonly { name: string; env: Record<string, string>; set?: string }[] = [
  { name: "1.1", env: { OCI_VERSION: "1.1" } },
  { name: "dev", env: { OCI_VERSION: "dev" } },
  {
    name: "dev with sparse manifests",
    env: { OCI_VERSION: "dev", OCI_DATA_SPARSE: "true" },
    set: "dray.validation.sparseimages=true",
  },
];

const main = async (): Promise<number> => {
  if (!existsSync(suite)) {
    console.error(`there is no ${suite}; build the suite, as .ci/run does, and name it in OCI_CONFORMANCE`);
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), "dray-conformance-"));
  try {
    const counts: ({ name: string } & Counts)[] = [];
    for (const { name, env, set = "log.accesslog.disabled=true" } of runs) {
      const server = await serve(join(folder, name, "data"), set);
      try {
        counts.push({ name, ...run(server.host, env, join(folder, name, "results")) });
      } finally {
        await server.stop();
      }
    }
    console.log(
      "\n| version | checks | passed | failed | errors | skipped | disabled |\n|---|---|---|---|---|---|---|",
    );
    for (const { name, total, passed, failed, errors, skipped, disabled } of counts)
      console.log(`| ${name} | ${total} | ${passed} | ${failed} | ${errors} | ${skipped} | ${disabled} |`);
    return counts.every((one) => one.passed > 0 && one.passed + one.disabled === one.total) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const serve = async (data: string, set: string): Promise<{ host: string; stop: () => Promise<void> }> => {
  const words = [
    "packages/cli/src/main.ts",
    "serve",
    "--data",
    data,
    "--listen",
    "127.0.0.1:0",
    "--set",
    "log.accesslog.disabled=true",
    "--set",
    set,
  ];
  const child = spawn(join(root, "node_modules/.bin/bun"), words, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const host = await new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`dray serve ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const found = /https?:\/\/([^\s/]+:\d+)/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  return {
    host,
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
};

const run = (host: string, wanted: Record<string, string>, results: string): Counts => {
  const env = { ...process.env, OCI_REGISTRY: host, OCI_TLS: "disabled", OCI_RESULTS_DIR: results, ...wanted };
  const { stdout, stderr } = spawnSync(suite, [], { env, encoding: "utf8", maxBuffer: 1 << 28 });
  const counts = countsOf(stdout);
  if (counts.passed === 0 || counts.failed + counts.errors > 0) console.log(`${stdout}${stderr}`);
  return counts;
};

const countsOf = (text: string): Counts => {
  const [, sums = ""] = /^OCI Conformance Result:(.*?)\n\n/ms.exec(text) ?? [];
  const of = (name: string): number => Number(new RegExp(`^\\s*${name}\\.*:\\s*(\\d+)`, "m").exec(sums)?.[1] ?? 0);
  return {
    total: of("Total"),
    passed: of("Pass"),
    failed: of("FAIL"),
    errors: of("Error"),
    skipped: of("Skip"),
    disabled: of("Disabled"),
  };
};

process.exitCode = await main();
