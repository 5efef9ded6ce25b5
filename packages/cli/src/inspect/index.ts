/** What there is to know of an image, as a document and as a page for people. Imports the library, the tree and figures; knows no command. */
export { type Inspected, inspect } from "./inspect.ts";
export { drawPage } from "./page.ts";
