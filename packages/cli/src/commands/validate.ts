import { DrayError } from "dray/errors";
import { type ValidateResult, validate } from "dray/image";
import type { Act, Define } from "../context.ts";
import { type ListingOptions, outputFlag } from "../flags.ts";
import { opened, rootOf } from "../images.ts";
import { document } from "../json.ts";

interface ValidateOptions extends ListingOptions {
  readonly remote?: string;
  readonly tarball?: string;
  readonly fast?: boolean;
}

interface Checked extends ValidateResult {
  readonly name: string;
}

export const define: Define = (command) =>
  command
    .argument("[locations...]", "references, or locations such as oci:DIR and oci-archive:FILE")
    .option("--remote <image>", "check this image on its registry")
    .option("--tarball <file>", "check this archive, as docker save writes it")
    .option("--fast", "do not read layers; see only whether they are there")
    .addOption(outputFlag());

/** Crane's words on stdout: `PASS: x`, `FAIL: x: why`. */
export const act: Act<ValidateOptions> = async (call, locations) => {
  const { options, out, signal } = call;
  const { tarball, remote } = options;
  const named = [
    ...(tarball === undefined ? [] : [{ name: tarball, location: `docker-archive:${tarball}` }]),
    ...[remote ?? [], ...locations].flat().map((name) => ({ name, location: name })),
  ];
  if (named.length === 0) throw new DrayError("USAGE", "nothing to validate: name a location, --remote or --tarball");
  const results: Checked[] = [];
  for (const { name, location } of named) {
    const located = await opened(call, location);
    const root = await rootOf(call, located);
    const result = await validate(located.store, root, { signal, fast: options.fast === true });
    results.push({ ...result, name });
    if (options.output !== "json") await out.line(verdict(name, result));
  }
  if (options.output === "json") await out.line(document({ results: results.map(resultOf) }));
  const failed = results.filter(({ findings }) => findings.length > 0);
  if (failed.length > 0)
    throw new DrayError("CHECK_FAILED", `${failed.map(({ name }) => name).join(", ")}: not as the digests say`);
};

const verdict = (name: string, { findings }: ValidateResult): string =>
  findings.length === 0
    ? `PASS: ${name}`
    : `FAIL: ${name}: ${findings.map(({ descriptor, message }) => `${descriptor.digest}: ${message}`).join("; ")}`;

const resultOf = ({ name, findings, checked }: Checked): object => ({
  name,
  ok: findings.length === 0,
  checked,
  findings: findings.map(({ descriptor, message }) => ({
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    message,
  })),
});
