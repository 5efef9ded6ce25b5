import type { Sink } from "../sink.ts";
import { atOf, mapOf, scalarOf, type TreeNode, textAt } from "../tree/index.ts";

const noJobs = new Set(["cache", "include", "spec", "stages", "variables", "workflow"]);

/** Images and services of jobs, of `default`, and at the top; each as a text or as a map with `name`. */
export const inGitlabCi = (root: TreeNode, sink: Sink): void => {
  const lookup = (name: string): string | undefined => {
    const said = sink.variables[name] ?? textAt(root, "variables", name) ?? textAt(root, "variables", name, "value");
    // A variable of a variable would need the rules by which a runner expands them.
    return said?.includes("$") ? undefined : said;
  };
  const image = (kind: "job" | "job-service", node: TreeNode | undefined, path: string): void => {
    const isText = node?.type === "scalar";
    const of = isText ? scalarOf(node) : scalarOf(atOf(node, "name"));
    if (of !== undefined) sink.whole(kind, of, isText ? path : `${path}.name`, { dialect: "shell", lookup });
  };
  const within = (job: TreeNode, path: string): void => {
    image("job", atOf(job, "image"), `${path}image`);
    const services = atOf(job, "services");
    if (services?.type !== "list") return;
    for (const [index, each] of services.items.entries()) image("job-service", each, `${path}services[${index}]`);
  };
  within(root, "");
  for (const { key, value } of mapOf(root)?.entries.values() ?? [])
    if (value.type === "map" && key.text !== "image" && !noJobs.has(key.text)) within(value, `${sink.keyText(key)}.`);
};
