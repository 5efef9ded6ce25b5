/**
 * The architecture as data: which room of a package stands on which, lowest first. A file imports its own room and the floors below,
 * never a sibling. A room is a folder or a file in `src/`. Change the drawing in ARCHITECTURE.md together with this.
 */
export const floors: Readonly<Record<string, readonly (readonly string[])[]>> = {
  dray: [
    ["supported.ts", "version.ts"],
    ["errors.ts", "defined.ts"],
    ["numbers.ts"],
    ["async", "threads", "programs"],
    ["oci", "deflate"],
    ["hash"],
    ["content"],
    ["files"],
    ["compression", "tar"],
    ["http", "tarball", "seekable"],
    ["auth", "layer-index"],
    ["registry", "layout", "archive", "cache"],
    ["daemon"],
    ["image"],
    ["copy"],
    ["locations", "repositories"],
    ["index.ts"],
  ],
  service: [
    ["memory", "figures"],
    ["response", "config", "control"],
    ["http-server", "observe"],
    ["identity", "sqlite"],
    ["program"],
  ],
  cloud: [["hosts.ts"], ["asking"], ["ecr", "google", "acr", "variables"], ["clouds.ts"], ["index.ts"]],
  server: [
    ["notice.ts", "libtrust.ts"],
    ["storage", "leases", "clock-jumps.ts"],
    ["registry-error.ts"],
    ["distribution-tree"],
    ["metadata", "uploads", "access"],
    ["blobs", "deletion"],
    ["gc", "read-cache", "verify", "room"],
    ["usage"],
    ["options.ts"],
    ["context.ts"],
    ["endpoints"],
    ["observing"],
    ["registry.ts"],
    ["config"],
    ["serve"],
    ["index.ts"],
  ],
  testkit: [
    ["basic.ts", "body.ts", "chance.ts", "files", "raw-client.ts", "respond.ts"],
    ["exchange.ts", "hosts.ts", "listen.ts", "synthetic.ts"],
    ["log.ts"],
    ["certificates", "faults", "recorded", "tokens"],
    ["clouds", "registry"],
    ["images", "peers"],
    ["index.ts", "main.ts"],
  ],
  cli: [
    [
      "version.ts",
      "environment.ts",
      "fitted.ts",
      "flags.ts",
      "output.ts",
      "screen.ts",
      "synonyms.ts",
      "trace.ts",
      "map-ordered.ts",
      "more-threads.ts",
    ],
    ["compile-cache.ts", "estargz.ts", "failure.ts", "mirrors", "pem-files.ts", "typed-as.ts", "undecoded.ts"],
    ["json.ts"],
    ["progress"],
    ["context.ts"],
    [
      "command.ts",
      "local-names.ts",
      "named-registry.ts",
      "registries.ts",
      "running-registry.ts",
      "serve-flags.ts",
      "terminal-input.ts",
    ],
    [
      "advice.ts",
      "images.ts",
      "detect.ts",
      "doctor",
      "swapped.ts",
      "control-client.ts",
      "transfer-report.ts",
      "tags",
      "tree",
    ],
    ["program.ts", "inspect", "changing", "files", "repositories"],
    ["completion"],
    ["commands"],
    ["run.ts"],
    ["main.ts"],
  ],
};

/** The packages, lowest first. A package imports the lower ones by their public names, never a sibling. */
export const packageFloors: readonly (readonly string[])[] = [
  ["dray"],
  ["service", "cloud"],
  ["server", "watch", "bundle", "console"],
  ["testkit"],
  ["cli"],
  ["e2e", "bench"],
];

/** What tests may use wherever they lie, as long as it is among the `devDependencies`. */
export const testPackages: readonly string[] = ["testkit"];

/** What can be wrong with an import, or with files together. */
export type FaultKind = "floor" | "door" | "test" | "package" | "circle of files" | "circle of folders";
