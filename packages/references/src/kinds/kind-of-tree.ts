import type { FileKind } from "../found.ts";
import { atOf, mapOf, type TreeNode, textAt } from "../tree/index.ts";

/** What a document is by its content, if it is anything that has images. */
export const kindOfTree = (root: TreeNode): FileKind | undefined => {
  const kind = textAt(root, "kind");
  const version = textAt(root, "apiVersion");
  if (kind !== undefined && version !== undefined) {
    if (kind === "ImagesLock" || kind === "BundleLock") return "images-lock";
    if (version.startsWith("kustomize.config.k8s.io/")) return "kustomization";
    return "kubernetes";
  }
  if (mapOf(atOf(root, "jobs")) !== undefined && mapOf(root)?.entries.has("on")) return "github-actions";
  if (textAt(root, "runs", "using") !== undefined) return "github-actions";
  const values = [...(mapOf(root)?.entries.values() ?? [])].map(({ value }) => value);
  const services = mapOf(atOf(root, "services"));
  if (services !== undefined) {
    const each = [...services.entries.values()].map(({ value }) => value);
    if (each.some((service) => atOf(service, "image") !== undefined || atOf(service, "build") !== undefined))
      return "compose";
  }
  if (values.some((value) => atOf(value, "script") !== undefined)) return "gitlab-ci";
  return undefined;
};
