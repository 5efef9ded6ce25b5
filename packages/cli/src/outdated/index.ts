/** What runs, as words of the command say it, and what became of it as a table. Imports @dray/watch; knows no command. */
export { outdatedDocument } from "./document.ts";
export { runningImages, type WhatRuns } from "./running-images.ts";
export { outdatedTable } from "./table.ts";
