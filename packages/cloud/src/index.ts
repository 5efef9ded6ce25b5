/**
 * Keychains of clouds, by their own libraries, each of which is loaded when one of its registries is met. Stands on `dray` alone.
 */
export { type AcrOptions, acr } from "./acr/index.ts";
export type { CloudOptions } from "./asking/index.ts";
export { type CloudsOptions, clouds, parseClouds } from "./clouds.ts";
export {
  type AwsAuthOptions,
  type EcrOptions,
  ecr,
  eksAccounts,
  type ImageCredsWithAwsAuth,
  imageCredsWithAwsAuth,
} from "./ecr/index.ts";
export { type Google, type GoogleOptions, google } from "./google/index.ts";
export { type CloudName, cloudNames } from "./hosts.ts";
export { type K8schainOptions, k8schain } from "./k8schain.ts";
export {
  fromPullSecrets,
  type KubernetesOptions,
  kubernetes,
  type PodImage,
  type PullSecret,
  type PullSecretsOptions,
  pullSecretCredentials,
  type RunningPodsOptions,
  runningPods,
} from "./kubernetes/index.ts";
export { github, gitlab, type VariableOptions } from "./variables/index.ts";
