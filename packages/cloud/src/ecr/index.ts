/**
 * Amazon ECR, by Amazon's own library, which is loaded when a registry of theirs is met. Imports `hosts`, `asking/`; knows no other cloud.
 */
export { ecr } from "./ecr.ts";
export {
  type AwsAuthOptions,
  eksAccounts,
  type ImageCredsWithAwsAuth,
  imageCredsWithAwsAuth,
} from "./image-creds.ts";
export type { EcrOptions } from "./options.ts";
