import { randomBytes } from "node:crypto";
import { isDrayError } from "dray/errors";
import { header } from "dray/http";
import { type Descriptor, type ParsedManifest, parseManifest } from "dray/oci";
import type { Registry, Repository } from "dray/registry";
import { type Check, type Finding, failureAt, type Tell } from "./finding.ts";

/** A repository to look at. */
export interface Patient {
  readonly registry: Registry;
  readonly repository: Repository;
  /** A tag or a digest; none: one of its tags. */
  readonly name: string | undefined;
  readonly signal: AbortSignal;
}

/** What can be read of it: a manifest, a part of a blob, referrers. Nothing is written. @param mayBeNew it need not be there yet */
export const lookAtReading = async (patient: Patient, tell: Tell, mayBeNew: boolean): Promise<void> => {
  const { registry, repository, signal } = patient;
  let root: Descriptor;
  let part: Descriptor | undefined;
  try {
    const name = patient.name ?? (await someTag(patient));
    if (name === undefined) {
      await tell({ check: "pull", outcome: "skipped", said: "the repository has no tags" });
      return;
    }
    const { descriptor, bytes } = await repository.manifest(name, { signal });
    root = descriptor;
    part = await configOf(patient, parseManifest(bytes, descriptor.mediaType));
    await tell({ check: "pull", outcome: "ok", said: `${name} is ${descriptor.digest}, ${descriptor.mediaType}` });
  } catch (error) {
    const isNew = mayBeNew && patient.name === undefined && isDrayError(error, "NOT_FOUND");
    await tell(isNew ? notLookedAt("pull", "there is no such repository yet") : failureAt("pull", error));
    return;
  }
  await tell(part === undefined ? notLookedAt("range", "it names no configuration") : await range(patient, part));
  await tell(await referrersOf(registry, patient, root));
};

/** A blob that is small: the configuration, of an index that of its first image. */
const configOf = async ({ repository, signal }: Patient, parsed: ParsedManifest): Promise<Descriptor | undefined> => {
  if (parsed.kind === "manifest") return parsed.manifest.config;
  const [first] = parsed.kind === "index" ? parsed.index.manifests : [];
  if (first === undefined) return undefined;
  const { descriptor, bytes } = await repository.manifest(first.digest, { signal });
  const child = parseManifest(bytes, descriptor.mediaType);
  return child.kind === "manifest" ? child.manifest.config : undefined;
};

const someTag = async ({ repository, signal }: Patient): Promise<string | undefined> => {
  let first: string | undefined;
  for await (const tag of repository.tags({ pageSize: 100, signal })) {
    if (tag === "latest") return tag;
    first ??= tag;
    if (first !== undefined && tag > "latest") break;
  }
  return first;
};

const range = async ({ registry, repository, signal }: Patient, { digest }: Descriptor): Promise<Finding> => {
  try {
    const { status, body } = await registry.request({
      target: `/v2/${repository.name}/blobs/${digest}`,
      headers: { Range: "bytes=0-0" },
      scopes: [`repository:${repository.name}:pull`],
      repository: repository.name,
      signal,
    });
    await body.discard();
    if (status === 206)
      return { check: "range", outcome: "ok", said: "parts of blobs can be read: a download that is cut goes on" };
    if (status === 200)
      return {
        check: "range",
        outcome: "warning",
        said: "asked for a part of a blob it gives all of it: a download that is cut begins anew",
        remedy: "whoever runs it, or a proxy before it, has to pass Range on",
      };
    return {
      check: "range",
      outcome: "failed",
      said: `a blob that the manifest names answers ${status}`,
      remedy: "the image is not whole there: push it again",
    };
  } catch (error) {
    return failureAt("range", error);
  }
};

const referrersOf = async (
  registry: Registry,
  { repository, signal }: Patient,
  { digest }: Descriptor,
): Promise<Finding> => {
  try {
    const { status, headers, body } = await registry.request({
      target: `/v2/${repository.name}/referrers/${digest}`,
      scopes: [`repository:${repository.name}:pull`],
      repository: repository.name,
      signal,
    });
    await body.discard();
    const isIndex = status === 200 && /json/.test(header(headers, "Content-Type") ?? "");
    return isIndex
      ? { check: "referrers", outcome: "ok", said: "it has the referrers API" }
      : {
          check: "referrers",
          outcome: "warning",
          said: `it has no referrers API (${status}): signatures and the like are kept under a tag, sha256-…`,
        };
  } catch (error) {
    return failureAt("referrers", error);
  }
};

/** What can be written: a blob, the same by a mount, a manifest without a tag, which is deleted again. The blob stays until garbage is collected. */
export const lookAtWriting = async (patient: Patient, tell: Tell): Promise<void> => {
  const { repository, signal } = patient;
  const bytes = new Uint8Array(randomBytes(32));
  let config: Descriptor;
  try {
    config = await repository.put(bytes, { mediaType: "application/octet-stream", signal });
    await tell({ check: "push", outcome: "ok", said: `a blob of 32 bytes was taken: ${config.digest}` });
  } catch (error) {
    await tell(failureAt("push", error));
    for (const check of ["mount", "delete"] as const) await tell(notLookedAt(check, "nothing can be pushed"));
    return;
  }
  await tell(await mount(patient, config));
  await tell(await remove(patient, config));
};

const mount = async ({ registry, repository, signal }: Patient, { digest }: Descriptor): Promise<Finding> => {
  const { name } = repository;
  const asking = { scopes: [`repository:${name}:pull,push`], repository: name, signal };
  try {
    const target = `/v2/${name}/blobs/uploads/?mount=${digest}&from=${encodeURIComponent(name)}`;
    const { status, headers, url, body } = await registry.request({ ...asking, method: "POST", target });
    await body.discard();
    if (status === 201) return { check: "mount", outcome: "ok", said: "layers can be mounted from another repository" };
    const session = header(headers, "Location");
    if (session !== undefined && URL.canParse(session, url)) {
      const { body: rest } = await registry.request({ ...asking, method: "DELETE", target: new URL(session, url) });
      await rest.discard();
    }
    const said = `layers are not mounted from another repository (${status}): they are sent again`;
    return { check: "mount", outcome: "warning", said };
  } catch (error) {
    return failureAt("mount", error);
  }
};

const remove = async ({ repository, signal }: Patient, config: Descriptor): Promise<Finding> => {
  try {
    const manifest = {
      schemaVersion: 2 as const,
      mediaType: "application/vnd.oci.image.manifest.v1+json" as const,
      config,
      layers: [],
    };
    const put = await repository.putManifest(manifest, { signal });
    await repository.remove(put.digest, { signal });
    return { check: "delete", outcome: "ok", said: `a manifest without a tag was pushed and deleted: ${put.digest}` };
  } catch (error) {
    if (!isDrayError(error, "UNSUPPORTED", "DENIED", "UNAUTHORIZED")) return failureAt("delete", error);
    return { ...failureAt("delete", error), outcome: "warning" };
  }
};

/** What was not looked at, and why. */
export const notLookedAt = (check: Check, said: string): Finding => ({ check, outcome: "skipped", said });
