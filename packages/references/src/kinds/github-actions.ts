import type { Sink } from "../sink.ts";
import { atOf, mapOf, type ScalarNode, scalarOf, type TreeNode } from "../tree/index.ts";

/** Of a workflow: containers and services of jobs, and steps that are images. Of an action: its image and its steps. */
export const inGithubActions = (root: TreeNode, sink: Sink): void => {
  for (const { key, value: job } of mapOf(atOf(root, "jobs"))?.entries.values() ?? []) {
    const path = `jobs.${sink.keyText(key)}`;
    const container = atOf(job, "container");
    const image = (node: TreeNode | undefined): ScalarNode | undefined => scalarOf(atOf(node, "image"));
    const isText = container?.type === "scalar";
    const of = isText ? scalarOf(container) : image(container);
    if (of !== undefined) sink.whole("job", of, `${path}.container${isText ? "" : ".image"}`, { dialect: "github" });
    for (const { key: name, value } of mapOf(atOf(job, "services"))?.entries.values() ?? []) {
      const service = image(value);
      if (service !== undefined)
        sink.whole("job-service", service, `${path}.services.${sink.keyText(name)}.image`, { dialect: "github" });
    }
    inSteps(atOf(job, "steps"), `${path}.steps`, sink);
  }
  const action = scalarOf(atOf(root, "runs", "image"));
  if (action?.text.startsWith("docker://")) sink.whole("step", action, "runs.image", { dialect: "github" });
  inSteps(atOf(root, "runs", "steps"), "runs.steps", sink);
};

const inSteps = (steps: TreeNode | undefined, path: string, sink: Sink): void => {
  if (steps?.type !== "list") return;
  for (const [index, step] of steps.items.entries()) {
    const uses = scalarOf(atOf(step, "uses"));
    if (uses?.text.startsWith("docker://")) sink.whole("step", uses, `${path}[${index}].uses`, { dialect: "github" });
  }
};
