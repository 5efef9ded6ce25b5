/**
 * YAML and JSON as one tree of nodes that know where they stand. Imports text/; knows no kind of file.
 */
export { readJson } from "./json.ts";
export { atOf, type MapNode, mapOf, type ScalarNode, scalarOf, type TreeNode, textAt } from "./node.ts";
export { maskTemplates } from "./templates.ts";
export { readYaml, type TreeDocument, TreeFault } from "./yaml.ts";
