import { stat } from "node:fs/promises";
import type { Located, ReadableStore } from "dray/content";
import { DrayError, isDrayError, printable, restated } from "dray/errors";
import { type ValidateResult, validate } from "dray/image";
import type { Act, Call, Define } from "../context.ts";
import { archiveAt } from "../detect.ts";
import { messageOf } from "../failure.ts";
import { type ListingOptions, outputFlag } from "../flags.ts";
import { opened, rootOf } from "../images.ts";
import { document } from "../json.ts";

interface ValidateOptions extends ListingOptions {
  readonly remote?: string;
  readonly tarball?: string;
  readonly fast?: boolean;
}

/** What became of one location: what was found there, or why nothing could be looked at. */
type Checked = { readonly name: string } & (
  | (ValidateResult & { readonly error?: undefined })
  | { readonly error: DrayError }
);

export const define: Define = (command) =>
  command
    .argument("[locations...]", "references, or locations such as oci:DIR and oci-archive:FILE")
    .option("--remote <image>", "check this image on its registry")
    .option("--tarball <file>", "check this archive, as docker save writes it, or an OCI archive")
    .option("--fast", "do not read layers; see only whether they are there")
    .addOption(outputFlag());

export const examples: readonly string[] = [
  "dray validate registry.example.com/team/app:1.0",
  "dray validate --fast oci:mirror:alpine",
  "dray validate --tarball image.tar",
];

/** Crane's words on stdout: `PASS: x`, `FAIL: x: why`. A location that cannot be looked at keeps no other from being. */
export const act: Act<ValidateOptions> = async (call, locations) => {
  const { options, out } = call;
  const { tarball, remote } = options;
  const named = [
    ...(tarball === undefined ? [] : [{ name: tarball, isFile: true, locate: () => archiveAt(tarball, call) }]),
    ...[remote ?? [], ...locations].flat().map((name) => ({ name, isFile: false, locate: () => opened(call, name) })),
  ];
  if (named.length === 0) throw new DrayError("USAGE", "nothing to validate: name a location, --remote or --tarball");
  const results: Checked[] = [];
  for (const each of named) {
    const result = await checkedAt(call, each);
    results.push(result);
    if (options.output !== "json" && (named.length > 1 || result.error === undefined)) await out.line(verdict(result));
  }
  if (options.output === "json") await out.line(document({ results: results.map(resultOf) }));
  throwIfBad(results);
};

const checkedAt = async (
  call: Call<ValidateOptions>,
  {
    name,
    isFile,
    locate,
  }: { readonly name: string; readonly isFile: boolean; readonly locate: () => Promise<Located<ReadableStore>> },
): Promise<Checked> => {
  const { options, signal } = call;
  try {
    const located = await locate();
    const root = await rootOf(call, located);
    return { ...(await validate(located.store, root, { signal, fast: options.fast === true })), name };
  } catch (error) {
    // What the words themselves get wrong is nobody's finding.
    if (!isDrayError(error) || isDrayError(error, "USAGE") || signal.aborted) throw error;
    return { name, error: isFile ? error : await hinted(name, error) };
  }
};

/** A word that is no location is a reference; where a file has that name it was perhaps meant. */
const hinted = async (name: string, error: DrayError): Promise<DrayError> => {
  if (name.includes(":")) return error;
  const isFile = await stat(name).then(
    (facts) => facts.isFile(),
    () => false,
  );
  return isFile
    ? restated(error, error.code, `${error.message}; there is a file ${name} here: check that with --tarball ${name}`)
    : error;
};

/** What was found is worse than what could not be looked at; where nothing could be, the first reason is the error. */
const throwIfBad = (results: readonly Checked[]): void => {
  const different = results.filter((result) => result.error === undefined && result.findings.length > 0);
  if (different.length > 0)
    throw new DrayError("CHECK_FAILED", `${different.map(({ name }) => name).join(", ")}: not as the digests say`);
  const unseen = results.flatMap(({ error }) => error ?? []);
  const [first] = unseen;
  if (first === undefined) return;
  if (unseen.length === results.length) throw first;
  throw new DrayError("PARTIAL", `${unseen.length} of ${results.length} locations could not be looked at`);
};

const verdict = (result: Checked): string => {
  if (result.error !== undefined) return printable(`FAIL: ${result.name}: ${messageOf(result.error)}`);
  const { name, findings } = result;
  return findings.length === 0
    ? `PASS: ${name}`
    : `FAIL: ${name}: ${findings.map(({ descriptor, message }) => `${descriptor.digest}: ${message}`).join("; ")}`;
};

const resultOf = (result: Checked): object => {
  const { name } = result;
  if (result.error !== undefined) {
    const { error } = result;
    return { name, ok: false, checked: 0, findings: [], error: { code: error.code, message: messageOf(error) } };
  }
  const { findings, checked } = result;
  return {
    name,
    ok: findings.length === 0,
    checked,
    findings: findings.map(({ descriptor, message }) => ({
      digest: descriptor.digest,
      mediaType: descriptor.mediaType,
      message,
    })),
  };
};
