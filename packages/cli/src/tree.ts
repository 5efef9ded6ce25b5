import type { CommandModule } from "./call.ts";

/** A command as help lists it. Its file is read only when it is asked for, so that the others cost nothing to start. */
export type Branch = {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
} & (
  | { readonly load: () => Promise<CommandModule>; readonly branches?: readonly Branch[] }
  | { readonly branches: readonly Branch[]; readonly load?: undefined }
);

/** Every command, in the order of the alphabet. */
export const branches: readonly Branch[] = [
  {
    name: "auth",
    summary: "Log in, log out, and see which credentials are used",
    branches: [
      {
        name: "explain",
        summary: "Say where credentials were looked for and found",
        load: () => import("./commands/auth-explain.ts"),
      },
      {
        name: "get",
        summary: "Print the credentials of a registry, as a credential helper does",
        load: () => import("./commands/auth-get.ts"),
      },
      {
        name: "login",
        summary: "Check credentials with a registry and keep them",
        load: () => import("./commands/auth-login.ts"),
      },
      {
        name: "logout",
        summary: "Forget the credentials of a registry",
        load: () => import("./commands/auth-logout.ts"),
      },
      {
        name: "token",
        summary: "Exchange credentials for a token of a repository",
        load: () => import("./commands/auth-token.ts"),
      },
    ],
  },
  { name: "blob", summary: "Read a blob from a registry", load: () => import("./commands/blob.ts") },
  { name: "catalog", summary: "List the repositories of a registry", load: () => import("./commands/catalog.ts") },
  {
    name: "completion",
    summary: "Print a script that completes dray's words in a shell",
    load: () => import("./commands/completion.ts"),
  },
  { name: "config", summary: "Print the configuration of an image", load: () => import("./commands/config.ts") },
  {
    name: "copy",
    aliases: ["cp"],
    summary: "Copy images from anywhere to anywhere, digests kept",
    load: () => import("./commands/copy.ts"),
  },
  {
    name: "delete",
    summary: "Delete a tag or a manifest from its registry",
    load: () => import("./commands/delete.ts"),
  },
  { name: "digest", summary: "Print the digest of an image", load: () => import("./commands/digest.ts") },
  { name: "ls", summary: "List the tags of a repository", load: () => import("./commands/ls.ts") },
  { name: "manifest", summary: "Print the manifest of an image", load: () => import("./commands/manifest.ts") },
  { name: "pull", summary: "Store remote images in a file or an OCI layout", load: () => import("./commands/pull.ts") },
  { name: "push", summary: "Push an image from a file or an OCI layout", load: () => import("./commands/push.ts") },
  {
    name: "serve",
    summary: "Run a registry, or look after one",
    load: () => import("./commands/serve.ts"),
    branches: [
      {
        name: "check",
        summary: "Compare the registry's index with its tree",
        load: () => import("./commands/serve-check.ts"),
      },
      {
        name: "check-config",
        summary: "Read a configuration and say what it means",
        load: () => import("./commands/serve-check-config.ts"),
      },
      {
        name: "gc",
        summary: "Remove what no manifest needs any more",
        load: () => import("./commands/serve-gc.ts"),
      },
      {
        name: "read-only",
        summary: "Stop a running registry from taking anything, or let it again",
        load: () => import("./commands/serve-read-only.ts"),
      },
      {
        name: "rebuild",
        summary: "Make the registry's index again from its tree",
        load: () => import("./commands/serve-rebuild.ts"),
      },
      {
        name: "reload",
        summary: "Let a running registry read its configuration again",
        load: () => import("./commands/serve-reload.ts"),
      },
      {
        name: "status",
        summary: "Say how a running registry is",
        load: () => import("./commands/serve-status.ts"),
      },
      {
        name: "verify",
        summary: "Hash every blob of the registry",
        load: () => import("./commands/serve-verify.ts"),
      },
    ],
  },
  { name: "tag", summary: "Give an image another tag in its repository", load: () => import("./commands/tag.ts") },
  {
    name: "tree",
    summary: "Show what belongs to an image: platforms, signatures, attestations",
    load: () => import("./commands/tree.ts"),
  },
  { name: "validate", summary: "Recompute every digest of an image", load: () => import("./commands/validate.ts") },
  { name: "version", summary: "Print the version", load: () => import("./commands/version.ts") },
];
