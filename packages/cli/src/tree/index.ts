/** What belongs to an image, as a graph and as a drawing of it. Imports the library and figures; knows no command. */
export { drawTree } from "./draw.ts";
export { treeOf } from "./graph.ts";
