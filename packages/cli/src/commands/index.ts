/**
 * The commands, one to a file, and the table that names them. Words in, calls out: what could be used without a terminal belongs
 * into a package below.
 */
import type { Branch, CommandModule } from "../context.ts";

/** A command that is a file of its own, which is read only when it is asked for. */
const command = (
  name: string,
  summary: string,
  load: () => Promise<CommandModule>,
  more: Pick<Branch, "aliases" | "branches"> = {},
): Branch => ({ name, summary, load, ...more });

/** Every command, in the order of the alphabet. */
export const branches: readonly Branch[] = [
  command("append", "Append layers to an image: tars, directories, or a stream", () => import("./append.ts")),
  {
    name: "auth",
    summary: "Log in, log out, and see which credentials are used",
    branches: [
      command("explain", "Say where credentials were looked for and found", () => import("./auth-explain.ts")),
      command("get", "Print the credentials of a registry, as a credential helper does", () => import("./auth-get.ts")),
      command("login", "Check credentials with a registry and keep them", () => import("./auth-login.ts")),
      command("logout", "Forget the credentials of a registry", () => import("./auth-logout.ts")),
      command("token", "Exchange credentials for a token of a repository", () => import("./auth-token.ts")),
    ],
  },
  command("blob", "Read a blob from a registry", () => import("./blob.ts")),
  {
    name: "cache",
    summary: "Look after the layers that are kept on this machine",
    branches: [
      command("ls", "List what is kept", () => import("./cache-ls.ts")),
      command("prune", "Remove what is too much, or was not used for long", () => import("./cache-prune.ts")),
    ],
  },
  command("cat", "Print files of an image", () => import("./cat.ts")),
  command("catalog", "List the repositories of a registry", () => import("./catalog.ts")),
  command("completion", "Print a script that completes dray's words in a shell", () => import("./completion.ts")),
  command("config", "Print the configuration of an image", () => import("./config.ts")),
  command("copy", "Copy images from anywhere to anywhere, digests kept", () => import("./copy.ts"), {
    aliases: ["cp"],
  }),
  command("delete", "Delete a tag or a manifest from its registry", () => import("./delete.ts")),
  command("diff", "Say in what two images differ: configuration, packages, files", () => import("./diff.ts")),
  command("digest", "Print the digest of an image", () => import("./digest.ts")),
  command("doctor", "Say what of a registry works, and what to do where it does not", () => import("./doctor.ts")),
  {
    name: "edit",
    summary: "Write an image's configuration, manifest or one file in an editor",
    branches: [
      command("config", "Write the configuration of an image in an editor", () => import("./edit-config.ts")),
      command("fs", "Write a file of an image in an editor, as a layer on top", () => import("./edit-fs.ts")),
      command(
        "manifest",
        "Write the manifest of an image, or an index, in an editor",
        () => import("./edit-manifest.ts"),
      ),
    ],
  },
  command("export", "Write the files of an image as one tar", () => import("./export.ts")),
  command("extract", "Put the files of an image into a directory", () => import("./extract.ts")),
  command("flatten", "Make one layer of all that an image has", () => import("./flatten.ts")),
  command("gc", "List what has no tag in a repository, or delete what of it nobody needs", () => import("./gc.ts")),
  {
    name: "index",
    summary: "List what is in an index, and change that",
    branches: [
      command(
        "annotate",
        "Set annotations of an index, or of what it says of its entries",
        () => import("./index-annotate.ts"),
      ),
      command("append", "Put images into an index, or make one of them", () => import("./index-append.ts")),
      command("filter", "Keep some platforms of an index", () => import("./index-filter.ts")),
      command("list", "List what is in an index", () => import("./index-list.ts"), { aliases: ["ls"] }),
      command("remove", "Take images out of an index", () => import("./index-remove.ts"), { aliases: ["rm"] }),
    ],
  },
  command("inspect", "Show an image: names, platforms, configuration, layers, referrers", () => import("./inspect.ts")),
  command("latest", "Find the newest tag of a repository", () => import("./latest.ts")),
  {
    name: "layout",
    summary: "Look after an OCI layout",
    branches: [command("gc", "Remove from an OCI layout what nothing in it leads to", () => import("./layout-gc.ts"))],
  },
  command("ls", "List the tags of a repository, or the files of an image", () => import("./ls.ts")),
  command("manifest", "Print the manifest of an image", () => import("./manifest.ts")),
  command(
    "mutate",
    "Change what an image says of itself: environment, labels, annotations",
    () => import("./mutate.ts"),
  ),
  command(
    "outdated",
    "Say which images that run are not the newest: of files, engines, a cluster",
    () => import("./outdated.ts"),
  ),
  command("pull", "Store remote images in a file or an OCI layout", () => import("./pull.ts")),
  command("push", "Push an image from a file or an OCI layout", () => import("./push.ts")),
  command("rebase", "Put an image on another base", () => import("./rebase.ts")),
  command(
    "recompress",
    "Compress the layers of an image otherwise, or give them one time",
    () => import("./recompress.ts"),
  ),
  {
    name: "registry",
    summary: "Run a registry for a test or a script",
    branches: [
      command(
        "serve",
        "Serve a registry in memory, or from a folder, until it is ended",
        () => import("./registry-serve.ts"),
      ),
    ],
  },
  command("serve", "Run a registry, or look after one", () => import("./serve.ts"), {
    branches: [
      command("check", "Compare the registry's index with its tree", () => import("./serve-check.ts")),
      command("check-config", "Read a configuration and say what it means", () => import("./serve-check-config.ts")),
      command("du", "Say what each repository of the registry takes", () => import("./serve-du.ts")),
      command("gc", "Remove what no manifest needs any more", () => import("./serve-gc.ts")),
      command(
        "read-only",
        "Stop a running registry from taking anything, or let it again",
        () => import("./serve-read-only.ts"),
      ),
      command("rebuild", "Make the registry's index again from its tree", () => import("./serve-rebuild.ts")),
      command("reload", "Let a running registry read its configuration again", () => import("./serve-reload.ts")),
      command("restore", "Undo a deletion, as long as the data is there", () => import("./serve-restore.ts")),
      command("status", "Say how a running registry is", () => import("./serve-status.ts")),
      command(
        "verify",
        "Verify that tags, manifests, links and data of the registry are whole",
        () => import("./serve-verify.ts"),
      ),
    ],
  }),
  command("squash", "Make one layer of some of an image, or take some away", () => import("./squash.ts")),
  command("tag", "Give an image another tag in its repository", () => import("./tag.ts")),
  command("tree", "Show what belongs to an image: platforms, signatures, attestations", () => import("./tree.ts")),
  command("validate", "Recompute every digest of an image", () => import("./validate.ts")),
  command("version", "Print the version", () => import("./version.ts")),
  {
    name: "watch",
    summary: "Know which tags repositories have, what they name, and what happens to them",
    branches: [
      command("events", "List what has happened to tags", () => import("./watch-events.ts")),
      command("explain", "Say why a policy chooses a tag, or does not", () => import("./watch-explain.ts")),
      command("limits", "Say what registries allow, and what is left of it", () => import("./watch-limits.ts")),
      command("list", "List the repositories that are known", () => import("./watch-list.ts")),
      command("scan", "Look at repositories, and keep what is found", () => import("./watch-scan.ts")),
      command("serve", "Look when it is time, tell sinks, and answer an API", () => import("./watch-serve.ts")),
      command(
        "show",
        "Show what is known of a repository or a tag, and what is wrong",
        () => import("./watch-show.ts"),
      ),
      command("test-sink", "Send an event that never happened to sinks", () => import("./watch-test-sink.ts")),
    ],
  },
];
