/**
 * The commands, one to a file, and the table that names them. Words in, calls out: what could be used without a terminal belongs
 * into a package below.
 */
import type { Branch } from "../context.ts";

/** Every command, in the order of the alphabet. */
export const branches: readonly Branch[] = [
  {
    name: "auth",
    summary: "Log in, log out, and see which credentials are used",
    branches: [
      {
        name: "explain",
        summary: "Say where credentials were looked for and found",
        load: () => import("./auth-explain.ts"),
      },
      {
        name: "get",
        summary: "Print the credentials of a registry, as a credential helper does",
        load: () => import("./auth-get.ts"),
      },
      {
        name: "login",
        summary: "Check credentials with a registry and keep them",
        load: () => import("./auth-login.ts"),
      },
      {
        name: "logout",
        summary: "Forget the credentials of a registry",
        load: () => import("./auth-logout.ts"),
      },
      {
        name: "token",
        summary: "Exchange credentials for a token of a repository",
        load: () => import("./auth-token.ts"),
      },
    ],
  },
  { name: "blob", summary: "Read a blob from a registry", load: () => import("./blob.ts") },
  { name: "catalog", summary: "List the repositories of a registry", load: () => import("./catalog.ts") },
  {
    name: "completion",
    summary: "Print a script that completes dray's words in a shell",
    load: () => import("./completion.ts"),
  },
  { name: "config", summary: "Print the configuration of an image", load: () => import("./config.ts") },
  {
    name: "copy",
    aliases: ["cp"],
    summary: "Copy images from anywhere to anywhere, digests kept",
    load: () => import("./copy.ts"),
  },
  {
    name: "delete",
    summary: "Delete a tag or a manifest from its registry",
    load: () => import("./delete.ts"),
  },
  { name: "digest", summary: "Print the digest of an image", load: () => import("./digest.ts") },
  { name: "ls", summary: "List the tags of a repository", load: () => import("./ls.ts") },
  { name: "manifest", summary: "Print the manifest of an image", load: () => import("./manifest.ts") },
  { name: "pull", summary: "Store remote images in a file or an OCI layout", load: () => import("./pull.ts") },
  { name: "push", summary: "Push an image from a file or an OCI layout", load: () => import("./push.ts") },
  {
    name: "serve",
    summary: "Run a registry, or look after one",
    load: () => import("./serve.ts"),
    branches: [
      {
        name: "check",
        summary: "Compare the registry's index with its tree",
        load: () => import("./serve-check.ts"),
      },
      {
        name: "check-config",
        summary: "Read a configuration and say what it means",
        load: () => import("./serve-check-config.ts"),
      },
      {
        name: "gc",
        summary: "Remove what no manifest needs any more",
        load: () => import("./serve-gc.ts"),
      },
      {
        name: "read-only",
        summary: "Stop a running registry from taking anything, or let it again",
        load: () => import("./serve-read-only.ts"),
      },
      {
        name: "rebuild",
        summary: "Make the registry's index again from its tree",
        load: () => import("./serve-rebuild.ts"),
      },
      {
        name: "reload",
        summary: "Let a running registry read its configuration again",
        load: () => import("./serve-reload.ts"),
      },
      {
        name: "status",
        summary: "Say how a running registry is",
        load: () => import("./serve-status.ts"),
      },
      {
        name: "verify",
        summary: "Hash every blob of the registry",
        load: () => import("./serve-verify.ts"),
      },
    ],
  },
  { name: "tag", summary: "Give an image another tag in its repository", load: () => import("./tag.ts") },
  {
    name: "tree",
    summary: "Show what belongs to an image: platforms, signatures, attestations",
    load: () => import("./tree.ts"),
  },
  { name: "validate", summary: "Recompute every digest of an image", load: () => import("./validate.ts") },
  { name: "version", summary: "Print the version", load: () => import("./version.ts") },
];
