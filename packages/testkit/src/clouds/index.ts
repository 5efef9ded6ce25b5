/**
 * Endpoints of clouds on this machine, under their true names: what their libraries ask for credentials, in the format of the wire. Programs of
 * others find the way there by the same variables. Imports certificates and `listen`; knows no keychain.
 */
export { type Amazon, type AmazonOptions, amazon } from "./amazon.ts";
export { type Azure, type AzureOptions, azure } from "./azure.ts";
export { type Google, type GoogleOptions, google } from "./google.ts";
export { type Premises, premises } from "./premises.ts";
export { pullSecretMatrix } from "./pull-secret-matrix.ts";
