/** What the commands of a watch share: its file, which tags are selected, and how what is known is said. Imports the packages below; knows no command. */
export { countsOf, familiarName, knownNamed, missingText, moment, nothingYet, timeOf } from "./known.ts";
export { type SelectionOptions, selectionOf, selectionText } from "./selection.ts";
export { type WatchServeOptions, watchSettingsFor } from "./settings.ts";
export { dbFlag, openWatch, type WatchOptions } from "./watch-file.ts";
