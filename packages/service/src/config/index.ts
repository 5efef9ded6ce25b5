/**
 * What an operator says, in a YAML file, in variables and by flags, held against a table of keys: with everything that is wrong and
 * where. Imports the library alone; knows no key, and opens nothing but the file itself.
 */
export { type ConfigContext, partOf } from "./context.ts";
export { type Described, describe, describedText, writtenValue } from "./describe.ts";
export { ignored, type Key, type KeyFacts, needless, refused, supported } from "./key.ts";
export { type Flag, type KeyTable, keyTable, type TableFacts } from "./key-table.ts";
export { type ConfigNode, isEmpty, isTrue, type Origin, originText, type Remark, remarkText } from "./node.ts";
export { type ConfigSources, readConfig, readPart, SettingsInvalid } from "./read-config.ts";
export { document, type Member, type Members, namedOf, recordOf, variantOf } from "./record.ts";
export { configSchema } from "./schema.ts";
export { formatSize, parseSize } from "./size.ts";
export { textOf } from "./text-file.ts";
export {
  anything,
  choice,
  count,
  duration,
  fields,
  headers,
  listOf,
  path,
  positive,
  size,
  text,
  truth,
  type ValueType,
} from "./value-types.ts";
export type { Effective } from "./values.ts";
export { type Environment, variableOf } from "./variables.ts";
