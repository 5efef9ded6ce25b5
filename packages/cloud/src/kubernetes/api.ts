import { existsSync } from "node:fs";
import { KubeConfig, type V1Pod } from "@kubernetes/client-node";
import { DrayError, reasonOf, throwIfAborted } from "dray/errors";
import { coreApi } from "./client.ts";
import type { KubernetesOptions } from "./options.ts";
import type { PullSecret } from "./pull-secrets.ts";

/** What every pod has that may ask the API. */
const ownToken = "/var/run/secrets/kubernetes.io/serviceaccount/token";
/** What the client asks where nothing says which cluster is meant. */
const nowhere = "http://localhost:8080";

/**
 * Reads the secrets that are named, those of a pod, and those of a service account, in this order, each once.
 * @param warn hears of what is not there, or may not be read
 */
export const readPullSecrets = async (
  options: KubernetesOptions,
  warn: (message: string) => void,
  signal: AbortSignal,
): Promise<readonly PullSecret[]> => {
  const config = configOf(options.kubeConfig);
  const api = coreApi(config, signal);
  const namespace = options.namespace ?? config.getContextObject(config.currentContext)?.namespace ?? "default";
  /** `undefined`: it is not there, or not for us. */
  const ifThere = async <T>(what: string, name: string, found: Promise<T>): Promise<T | undefined> => {
    try {
      return await found;
    } catch (error) {
      throwIfAborted(signal);
      const { code } = (error ?? {}) as { readonly code?: unknown };
      if (code !== 404 && code !== 403) throw error;
      warn(`${what} ${namespace}/${name} ${code === 404 ? "is not there" : "may not be read"}; it is left out`);
      return undefined;
    }
  };

  const { pod, imagePullSecrets = [] } = options;
  const spec =
    pod === undefined ? undefined : (await ifThere("pod", pod, api.readNamespacedPod({ name: pod, namespace })))?.spec;
  const account = options.serviceAccount ?? spec?.serviceAccountName ?? "default";
  const ofAccount =
    account === false
      ? undefined
      : await ifThere("service account", account, api.readNamespacedServiceAccount({ name: account, namespace }));
  const references = [spec?.imagePullSecrets, ofAccount?.imagePullSecrets].flatMap((each) => each ?? []);
  const names = new Set([...imagePullSecrets, ...references.flatMap(({ name }) => name || [])]);
  const read = await Promise.all(
    Array.from(names, (name) => ifThere("secret", name, api.readNamespacedSecret({ name, namespace }))),
  );
  return read.flatMap((secret) => secret ?? []);
};

/** Which pods are listed, of whom. */
export interface PageOfPods {
  readonly kubeConfig: string | undefined;
  /** `undefined`: all. */
  readonly namespace: string | undefined;
  readonly limit: number;
  /** What the page before said of the next. */
  readonly after: string | undefined;
}

/** Lists a page of pods, and says how the next one is asked for. */
export const pageOfPods = async (
  { kubeConfig, namespace, limit, after }: PageOfPods,
  signal: AbortSignal,
): Promise<{ readonly pods: readonly V1Pod[]; readonly next: string | undefined }> => {
  const api = coreApi(configOf(kubeConfig), signal);
  const page = { limit, ...(after === undefined ? {} : { _continue: after }) };
  const { items, metadata } =
    namespace === undefined
      ? await api.listPodForAllNamespaces(page)
      : await api.listNamespacedPod({ namespace, ...page });
  return { pods: items, next: metadata?._continue || undefined };
};

/** @throws DrayError `CONFIG_INVALID` where nothing says which cluster is meant */
const configOf = (file: string | undefined): KubeConfig => {
  const config = new KubeConfig();
  if (file !== undefined) loadFrom(config, file);
  else if (process.env["KUBERNETES_SERVICE_HOST"] && existsSync(ownToken)) config.loadFromCluster();
  else config.loadFromDefault();
  if (file !== undefined || config.getCurrentCluster()?.server !== nowhere) return config;
  throw new DrayError(
    "CONFIG_INVALID",
    "nothing says which cluster is meant: set KUBECONFIG, or name a kubeconfig file",
  );
};

const loadFrom = (config: KubeConfig, file: string): void => {
  try {
    config.loadFromFile(file);
  } catch (error) {
    throw new DrayError("CONFIG_INVALID", `kubeconfig ${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
};
