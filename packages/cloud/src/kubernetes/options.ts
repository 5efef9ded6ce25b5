import type { CloudOptions } from "../asking/index.ts";

/** Whose pull secrets are read, and from where. */
export interface KubernetesOptions extends CloudOptions {
  /** Default: that of the pod we run in, or of the current context. */
  readonly namespace?: string | undefined;
  /** Names of secrets, which come first. */
  readonly imagePullSecrets?: readonly string[] | undefined;
  /** A pod, whose secrets come next. Its service account is asked, too, unless another is named. */
  readonly pod?: string | undefined;
  /** A service account, whose secrets come last; `false`: none. Default: the pod's, else `default`. */
  readonly serviceAccount?: string | false | undefined;
  /** A kubeconfig file. Default: inside of a cluster what every pod has, else `KUBECONFIG` or `~/.kube/config`. */
  readonly kubeConfig?: string | undefined;
}
