/** What belongs to an image, as a graph and as a drawing of it. Imports the library and figures; knows no command. */
export { detailsOf, drawTree, labelOf } from "./draw.ts";
export { signatureTypes, type TreeNode, treeOf } from "./graph.ts";
