/**
 * Where references stand in each kind of file that is a tree. Imports tree/, variables/ and the sink; reads no bytes.
 */
import type { FileKind } from "../found.ts";
import type { Sink } from "../sink.ts";
import type { TreeNode } from "../tree/index.ts";
import { inCompose } from "./compose.ts";
import { inDevcontainer } from "./devcontainer.ts";
import { inGithubActions } from "./github-actions.ts";
import { inGitlabCi } from "./gitlab-ci.ts";
import { inHelmChart, inHelmValues } from "./helm.ts";
import { inImagesLock } from "./images-lock.ts";
import { inKubernetes } from "./kubernetes.ts";
import { inKustomization } from "./kustomization.ts";

export { kindOfTree } from "./kind-of-tree.ts";

/** A finder for each kind of file that is YAML or JSON. */
export const treeKinds: Readonly<Partial<Record<FileKind, (root: TreeNode, sink: Sink) => void>>> = {
  compose: inCompose,
  devcontainer: inDevcontainer,
  "github-actions": inGithubActions,
  "gitlab-ci": inGitlabCi,
  "helm-chart": inHelmChart,
  "helm-values": inHelmValues,
  "images-lock": inImagesLock,
  kubernetes: inKubernetes,
  kustomization: inKustomization,
};
