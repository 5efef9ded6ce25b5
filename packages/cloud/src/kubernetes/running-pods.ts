import type { V1Pod } from "@kubernetes/client-node";
import { DrayError, errorIn, isDrayError, throwIfAborted } from "dray/errors";
import { refuseNumber } from "dray/internal/numbers";
import { faultIn, within } from "../asking/index.ts";
import type { KubernetesOptions } from "./options.ts";

/** Whose pods are looked at. */
export interface RunningPodsOptions extends Pick<KubernetesOptions, "kubeConfig" | "timeout" | "onWarning"> {
  /** Default: all. */
  readonly namespace?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A container of a pod that is there, with what its image is pulled with. */
export interface PodImage {
  readonly namespace: string;
  /** What the pod belongs to: `Deployment/web`, `CronJob/backup`; itself where that is nothing: `Pod/web`. */
  readonly workload: string;
  readonly container: string;
  /** As the pod says it. */
  readonly image: string;
  /** What the node has pulled, in its own form; empty where it has not yet. */
  readonly imageId: string;
  /** Labels and annotations of the pod; of two of a name the annotation. */
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly imagePullSecrets: readonly string[];
}

/** Pods of a page. One is 10 KB or so, and an answer has 8 MiB at most. */
const ofPage = 200;

/**
 * The containers of a cluster's pods, by the official client, page by page. Pods that have ended are left out. It needs `list` on `pods`.
 * @throws DrayError `CONFIG_INVALID` where nothing says which cluster is meant, `DENIED`, `NETWORK`, `TIMEOUT`
 */
export const runningPods = async function* (options: RunningPodsOptions = {}): AsyncGenerator<PodImage> {
  const { namespace, kubeConfig, timeout = 15_000, signal = new AbortController().signal } = options;
  refuseNumber("timeout", timeout, { fractions: true });
  const { pageOfPods } = await import("./api.ts");
  let next: string | undefined;
  do {
    const page = await within(timeout, signal, (either) =>
      pageOfPods({ kubeConfig, namespace, limit: ofPage, after: next }, either),
    ).catch((error: unknown) => {
      throwIfAborted(signal);
      throw failed(error);
    });
    for (const pod of page.pods) yield* imagesOf(pod);
    next = page.next;
  } while (next !== undefined);
};

const failed = (error: unknown): DrayError => {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  const what = "the pods of the cluster cannot be listed";
  if (isDrayError(error)) return errorIn(what, error) as DrayError;
  return new DrayError(code === 401 || code === 403 ? "DENIED" : "NETWORK", `${what}: ${faultIn(error)}`, {
    cause: error,
  });
};

const imagesOf = function* ({ metadata, spec, status }: V1Pod): Generator<PodImage> {
  if (status?.phase === "Succeeded" || status?.phase === "Failed") return;
  const ids = new Map(
    [status?.containerStatuses, status?.initContainerStatuses, status?.ephemeralContainerStatuses]
      .flatMap((each) => each ?? [])
      .map(({ name, imageID }) => [name, imageID]),
  );
  for (const { name, image } of [spec?.initContainers, spec?.containers, spec?.ephemeralContainers].flatMap(
    (each) => each ?? [],
  ))
    if (image)
      yield {
        namespace: metadata?.namespace ?? "default",
        workload: workloadOf(metadata),
        container: name,
        image,
        imageId: ids.get(name) ?? "",
        labels: { ...metadata?.labels, ...metadata?.annotations },
        serviceAccount: spec?.serviceAccountName ?? "default",
        imagePullSecrets: (spec?.imagePullSecrets ?? []).flatMap((each) => each.name || []),
      };
};

/** A replica set is named by its deployment and a hash, a job of a schedule by that and a time. */
const workloadOf = (metadata: V1Pod["metadata"]): string => {
  const owner = metadata?.ownerReferences?.find(({ controller }) => controller === true);
  if (owner === undefined) return `Pod/${metadata?.name ?? ""}`;
  const hash = metadata?.labels?.["pod-template-hash"];
  if (owner.kind === "ReplicaSet" && hash !== undefined && owner.name.endsWith(`-${hash}`))
    return `Deployment/${owner.name.slice(0, -hash.length - 1)}`;
  const [, schedule] = owner.kind === "Job" ? (/^(.+)-\d{8,}$/.exec(owner.name) ?? []) : [];
  return schedule === undefined ? `${owner.kind}/${owner.name}` : `CronJob/${schedule}`;
};
