/**
 * Pull secrets of Kubernetes: those that somebody has read already, and those of a pod or a service account by the official client, which is
 * loaded when the first image is asked for. Imports `asking/`; knows no cloud.
 */
export { kubernetes } from "./kubernetes.ts";
export type { KubernetesOptions } from "./options.ts";
export { fromPullSecrets, type PullSecret, type PullSecretsOptions, pullSecretCredentials } from "./pull-secrets.ts";
export { type PodImage, type RunningPodsOptions, runningPods } from "./running-pods.ts";
