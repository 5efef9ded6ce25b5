import { kubernetes, type PodImage, type RunningPodsOptions, runningPods } from "@dray/cloud";
import type { Keychain } from "dray/auth";
import { defined } from "dray/internal/defined";
import type { Digest } from "dray/oci";
import { policyOfLabels } from "./labels.ts";
import { readableReference } from "./readable-reference.ts";
import { merged, type RunningImage } from "./running-image.ts";

/**
 * The images of a cluster's pods that run, with the digests that nodes have pulled, each with the pull secrets of its own workload.
 * Pods of one workload are one place. What cannot be read is left out, and named to `onWarning`.
 * @example const images = await runningInCluster({ namespace: "team" });
 */
export const runningInCluster = async (options: RunningPodsOptions = {}): Promise<RunningImage[]> => {
  const { onWarning, kubeConfig, timeout } = options;
  const keychains = new Map<string, Keychain>();
  const credentialsOf = ({ namespace, serviceAccount, imagePullSecrets }: PodImage): Keychain => {
    const key = JSON.stringify([namespace, serviceAccount, imagePullSecrets]);
    const known =
      keychains.get(key) ?? kubernetes({ namespace, serviceAccount, imagePullSecrets, kubeConfig, timeout, onWarning });
    keychains.set(key, known);
    return known;
  };
  const running: RunningImage[] = [];
  for await (const pod of runningPods(options)) {
    const { image, imageId, namespace, workload, container, labels } = pod;
    const reference = readableReference(image);
    if (reference === undefined) {
      onWarning?.(
        `${namespace}/${workload}: its container ${container} has the image "${image}", which is no reference; it is left out`,
      );
      continue;
    }
    const pulled = readableReference(imageId.replace(/^[a-z-]+:\/\//, ""))?.digest;
    const digests = [...new Set([reference.digest, pulled])].filter((each): each is Digest => each !== undefined);
    const said = policyOfLabels(labels, reference.tag);
    running.push(
      defined<RunningImage>({
        image,
        reference,
        digests,
        places: [`${namespace}/${workload}`],
        policy: said.policy,
        isLeftAlone: said.isLeftAlone,
        credentials: credentialsOf(pod),
      }),
    );
  }
  return merged(running).map((each) => ({ ...each, places: [...new Set(each.places)] }));
};
