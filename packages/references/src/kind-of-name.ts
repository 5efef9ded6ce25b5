import type { FileKind } from "./found.ts";

const rules: readonly [pattern: RegExp, kind: FileKind][] = [
  [
    /(?:^|\/)(?:Dockerfile|Containerfile)$|(?:^|\/)(?:Dockerfile|Containerfile)[.-](?!dockerignore$|md$)[^/]+$|\.(?:dockerfile|containerfile)$/i,
    "dockerfile",
  ],
  [/(?:^|\/)(?:docker-)?(?:compose|stack)(?:[.-][^/]*)?\.ya?ml$/i, "compose"],
  [/(?:^|\/)kustomization(?:\.ya?ml)?$/i, "kustomization"],
  [/(?:^|\/)Chart\.ya?ml$/, "helm-chart"],
  [/(?:^|\/)(?:[^/]*[-._])?values(?:[-._][^/]*)?\.ya?ml$/i, "helm-values"],
  [/(?:^|\/)\.(?:github|gitea|forgejo)\/workflows\/[^/]+\.ya?ml$|(?:^|\/)action\.ya?ml$/, "github-actions"],
  [/(?:^|[/.])gitlab-ci\.ya?ml$/, "gitlab-ci"],
  [/(?:^|\/)\.?devcontainer\.json$/, "devcontainer"],
  [/(?:^|\/)\.imgpkg\/images\.ya?ml$/, "images-lock"],
  [/\.(?:container|volume|image)$/, "quadlet"],
  [/(?:^|\/)images\.(?:txt|list)$/, "list"],
];

/** What a file is by its name, if that says it. */
export const kindOfName = (name: string): FileKind | undefined =>
  rules.find(([pattern]) => pattern.test(name.replaceAll("\\", "/")))?.[1];

/** Whether a file of this name may be a tree, whose content says what it is. */
export const mayBeTree = (name: string): boolean => /\.(?:ya?ml|json)$/i.test(name);
