import { chain, type DockerConfigOptions, dockerConfig, type Keychain } from "dray/auth";
import { type CloudsOptions, clouds } from "./clouds.ts";
import { fromPullSecrets, type KubernetesOptions, kubernetes, type PullSecret } from "./kubernetes/index.ts";

/** What the chain asks, and how. */
export interface K8schainOptions extends KubernetesOptions, Omit<CloudsOptions, "only"> {
  /** Pull secrets that have been read already: then no request goes to Kubernetes. */
  readonly secrets?: readonly PullSecret[] | undefined;
  /** Where the files of docker are looked for. */
  readonly docker?: Omit<DockerConfigOptions, "onWarning"> | undefined;
}

/**
 * The credentials that a program in a cluster has, in the order of go-containerregistry's `k8schain`: the pull secrets of a pod or a service account,
 * docker's files, then Google, Amazon and Azure, each for its own registries.
 * @example connect(host, { credentials: k8schain({ namespace: "team", serviceAccount: "builder", onWarning: console.error }) })
 */
export const k8schain = ({ secrets, docker, ...options }: K8schainOptions = {}): Keychain => {
  const { onWarning } = options;
  return chain(
    secrets === undefined ? kubernetes(options) : fromPullSecrets(secrets, { onWarning }),
    dockerConfig({ ...docker, ...(onWarning === undefined ? {} : { onWarning }) }),
    clouds({ ...options, only: ["google", "ecr", "acr"] }),
  );
};
