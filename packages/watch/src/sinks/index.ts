/**
 * Places that hear of events: each service's exact form, its limits and its way to say "later". Imports `events/` and the library; knows no configuration file
 * and no queue.
 */
export type { SinkContext } from "./context.ts";
export { defaultText, defaultTitle, type Texts } from "./message.ts";
export type * from "./settings.ts";
export { sinkOf, testSink } from "./sink-of.ts";
export { readTemplate, type Template, type TemplateField, templateFields } from "./template.ts";
