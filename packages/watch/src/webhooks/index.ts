/**
 * Notices of pushes, as registries send them: each proves who has sent it, and asks for a look. Imports names of repositories and the library; knows no engine.
 */
export type { GoogleAccount } from "./google-token.ts";
export type { Push } from "./notice.ts";
export { sameText } from "./proof.ts";
export { vendors as webhookVendors, type WebhookType } from "./vendors/index.ts";
export {
  type WebhookOutcome,
  type WebhookSettings as WebhookInSettings,
  type WebhooksOptions,
  webhooks,
} from "./webhooks.ts";
