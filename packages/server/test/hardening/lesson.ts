import { suite, test } from "node:test";
import { digestOf } from "dray/oci";
import { blobPath, currentLink, layerFolder, revisionFolder } from "../../src/distribution-tree/index.ts";
import { createRegistry, type Registry } from "../../src/registry.ts";
import { memoryDriver } from "../../src/storage/index.ts";
import { blob, blobDigest, config, image, imageDigest, layer } from "./sample.ts";

/** What went wrong in another registry. */
export interface Lesson {
  /** Of the advisory or issue. */
  readonly id: string;
  readonly what: string;
  /** Tries the same thing here. */
  readonly test?: () => Promise<void>;
  /** Why there is nothing to try. */
  readonly nothing?: string;
}

/** A test for each lesson; what there is no test for is printed with its reason. */
export const learn = (lessons: readonly Lesson[]): void => {
  suite("what went wrong elsewhere:", () => {
    for (const { id, what, test: tries, nothing } of lessons)
      test(`${id}: ${what}`, async () => {
        if ((tries === undefined) === (nothing === undefined))
          throw new Error("it has neither a test nor a reason, or both");
        if (nothing !== undefined) console.log(`${id} (${what}): nothing to test, for ${nothing}`);
        await tries?.();
      });
  });
};

/** A registry with an image and a blob in `app`. */
export const filled = (options: Partial<Parameters<typeof createRegistry>[0]> = {}): Registry => {
  const driver = memoryDriver();
  for (const [path, content] of [
    ...[blob, config, layer].flatMap((content) => {
      const digest = digestOf(content);
      return [[blobPath(digest), content] as const, [`${layerFolder("app", digest)}/link`, digest] as const];
    }),
    [blobPath(imageDigest), image],
    [`${revisionFolder("app", imageDigest)}/link`, imageDigest],
    [currentLink("app", "latest"), imageDigest],
  ] as const)
    driver.putSync(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  return createRegistry({ driver, ...options });
};

/** Everything that reads. */
export const reads: readonly string[] = [
  "/v2/",
  "/v2/_catalog",
  "/v2/app/tags/list",
  "/v2/app/manifests/latest",
  `/v2/app/manifests/${imageDigest}`,
  `/v2/app/blobs/${blobDigest}`,
  `/v2/app/referrers/${imageDigest}`,
  "/v2/app/_oci/ext/discover",
];
/** Everything that deletes. */
export const deletes: readonly string[] = [
  "/v2/app/manifests/latest",
  `/v2/app/manifests/${imageDigest}`,
  `/v2/app/blobs/${blobDigest}`,
];
