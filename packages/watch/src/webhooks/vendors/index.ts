/** How each kind of registry tells of a push: where its secret is, and what its body says. Pure; imports names of repositories and the library's words. */
import { azure } from "./azure.ts";
import { distribution } from "./distribution.ts";
import { dockerHub } from "./docker-hub.ts";
import { ecr } from "./ecr.ts";
import { github } from "./github.ts";
import { gitlab } from "./gitlab.ts";
import { google } from "./google.ts";
import { harbor } from "./harbor.ts";
import { quay } from "./quay.ts";
import type { Vendor } from "./vendor.ts";

/** Who sends. */
export type WebhookType =
  | "distribution"
  | "dockerhub"
  | "ghcr"
  | "quay"
  | "harbor"
  | "gitlab"
  | "acr"
  | "ecr"
  | "google";

export const vendors: Readonly<Record<WebhookType, Vendor>> = {
  distribution,
  dockerhub: dockerHub,
  ghcr: github,
  quay,
  harbor,
  gitlab,
  acr: azure,
  ecr,
  google,
};

export type { Vendor } from "./vendor.ts";
