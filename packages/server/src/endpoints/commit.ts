import { algorithmOf, type Digest } from "dray/oci";
import { RegistryError } from "../registry-error.ts";
import { allOf } from "../storage/index.ts";
import type { Upload } from "../uploads/index.ts";
import type { Call } from "./call.ts";
import { refuseWrites } from "./guard.ts";

/**
 * Ends an upload as a blob of its repository. Whether the data is there already is decided while nobody can take it away.
 * @throws RegistryError DIGEST_INVALID; the upload is gone then
 */
export const commitUpload = async ({ context }: Call, upload: Upload, wanted: Digest): Promise<void> => {
  const { tree, locks } = context;
  const { digest, size } = await upload.digest(algorithmOf(wanted));
  if (digest !== wanted) {
    await upload.cancel();
    throw new RegistryError(400, "DIGEST_INVALID", `the bytes have the digest ${digest}`, { detail: { digest } });
  }
  const { repository } = upload;
  /** A file of another size is not what its name says: it is replaced. */
  const take = async (store: () => Promise<void>): Promise<void> => {
    // Since the upload began it may have been said that nothing is written any more.
    refuseWrites(context);
    const isThere = (await tree.blobSize(wanted)) === size;
    const stored = isThere ? tree.touchBlob(wanted) : store();
    await allOf([stored, link(context, repository, wanted, stored)]);
  };
  await locks.hold({ exclusive: [wanted] }, () =>
    upload.finish(
      (path, options) => take(() => tree.adoptBlob(wanted, path, options)),
      (bytes) => take(() => tree.writeBlob(wanted, bytes)),
    ),
  );
};

/** Makes a blob that another repository has visible in this one. `from` null: wherever the principal may read it. */
export const mountBlob = async (
  call: Call,
  repository: string,
  digest: Digest,
  from: string | null,
): Promise<boolean> => {
  const { context, principal } = call;
  const sources = from === null ? holders(call, repository, digest) : [from];
  return context.locks.hold({ exclusive: [digest] }, async () => {
    refuseWrites(context);
    for await (const source of sources) {
      if (!principal.may(source, "pull")) continue;
      const target = await context.tree.layer(source, digest);
      // An alias is not handed on: its name says nothing about the bytes that it stands for.
      if (target !== digest || (await context.tree.blobSize(digest)) === undefined) continue;
      await context.tree.touchBlob(digest);
      await link(context, repository, digest);
      return true;
    }
    return false;
  });
};

/** Repositories that are looked into where nobody said which one: to find a blob saves an upload, to search for it costs. */
const mostLooks = 200;

/** Where a blob may be found: in this repository, where it was promised lately, where a manifest needs it, and elsewhere. */
async function* holders({ context }: Call, repository: string, digest: Digest): AsyncGenerator<string> {
  if ((await context.tree.blobSize(digest)) === undefined) return;
  const likely = new Set([repository, ...context.leases.repositories(digest), ...context.metadata.holders(digest)]);
  yield* likely;
  let looks = 0;
  for await (const name of context.tree.repositories()) {
    if (++looks > mostLooks) return;
    if (!likely.has(name)) yield name;
  }
}

/** @param stored the data; the link comes after it, and is prepared meanwhile */
const link = async (
  { tree, leases }: Call["context"],
  repository: string,
  digest: Digest,
  stored?: Promise<void>,
): Promise<void> => {
  await tree.linkLayer(repository, digest, stored);
  leases.record(repository, digest);
};
