/** Which tags fit: globs, expressions in linear time, what is taken out of a tag. Knows no version and no policy. */
export { type Expression, expression } from "./expression.ts";
export { type Extract, extraction } from "./extract.ts";
export { type Fits, glob } from "./glob.ts";
export { isDigestTag, type TagChoice, tagFilter } from "./tag-filter.ts";
