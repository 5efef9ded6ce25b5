import { DrayError, exitCodes, printable } from "dray/errors";
import { parseReference, parseRegistry } from "dray/oci";
import type { ConnectOptions } from "dray/registry";
import type { Act, Define } from "../context.ts";
import { examine, type Finding } from "../doctor/index.ts";
import { type ListingOptions, outputFlag } from "../flags.ts";
import { document } from "../json.ts";
import { registriesFor } from "../registries.ts";

interface DoctorOptions extends ListingOptions {
  readonly push?: boolean;
}

export const define: Define = (command) =>
  command
    .argument("<registry-or-repository>", "host[:port], https://host[:port], or a repository with its registry")
    .option("--push", "also write into the repository: a blob, and a manifest that is deleted again")
    .addOption(outputFlag());

export const examples: readonly string[] = [
  "dray doctor registry.example.com",
  "dray doctor registry.example.com/team/app:1.0",
  "dray doctor --push -o json registry.example.com/team/scratch",
];

/** Milliseconds: somebody looks on, so what is silent is told of sooner than a copy would give up. */
const patience = { connect: 10_000, headers: 15_000, idle: 15_000 };

/** Each finding is printed as it is made. Fails where one of them is a failure. */
export const act: Act<DoctorOptions> = async (call, [text = ""]) => {
  const { options, out, signal } = call;
  const target = targetOf(text);
  if (options.push === true && target.repository === undefined)
    throw new DrayError("USAGE", `--push writes into a repository: name one, such as ${target.host}/team/scratch`);
  const registries = await registriesFor(call);
  const found: Finding[] = [];
  const tell = async (finding: Finding): Promise<void> => {
    found.push(finding);
    if (options.output === "json") return;
    await out.line(lineOf(finding));
    await out.flush();
  };
  const { keychain, connectAs, rulesFor, identity } = registries;
  const { name, host } = target;
  const examination = {
    ...target,
    push: options.push === true,
    keychain: keychain(host),
    rules: rulesFor(host),
    // Where connections look for a proxy.
    env: process.env,
    identity,
    unchecked: options.insecure === true || options.skipTlsVerify === true,
    connect: (more: ConnectOptions) =>
      connectAs(host, name, options.timeout === undefined ? { timeouts: patience, ...more } : more),
    signal,
  };
  await examine(examination, tell);
  const isWell = found.every(({ outcome }) => outcome !== "failed");
  const { repository } = target;
  if (options.output === "json") await out.line(document({ registry: host, repository, ok: isWell, findings: found }));
  return isWell ? 0 : exitCodes.CHECK_FAILED;
};

const lineOf = ({ check, outcome, said, remedy }: Finding): string =>
  printable(`${outcome.padEnd(8)}${check.padEnd(12)}${said}${remedy === undefined ? "" : `; ${remedy}`}`);

interface Target {
  readonly name: string;
  readonly host: string;
  readonly repository?: string;
  readonly reference?: string;
}

/** A word alone is a registry here, whatever it would be elsewhere. */
const targetOf = (text: string): Target => {
  const [, scheme = "", rest = text] = /^(https?:\/\/)(.*)$/.exec(text) ?? [];
  const bare = rest.replace(/\/$/, "");
  if (!bare.includes("/")) {
    const host = parseRegistry(bare);
    return { name: scheme + host, host };
  }
  const { registry, repository, tag, digest } = parseReference(bare, { defaultTag: "" });
  const reference = digest ?? (tag || undefined);
  return { name: scheme + registry, host: registry, repository, ...(reference === undefined ? {} : { reference }) };
};
