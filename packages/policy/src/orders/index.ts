/** Orders of tags by what their names say: versions, dates, numbers, letters. Imports versions; knows no policy. */
export { byDate } from "./by-date.ts";
export { byNumber } from "./by-number.ts";
export { byNothing, byText } from "./by-text.ts";
export { byVersion } from "./by-version.ts";
export { isPlace, type Order, type Place } from "./order.ts";
