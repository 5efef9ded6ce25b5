import type { JsonObject } from "../../content/index.ts";
import { DrayError } from "../../errors.ts";
import { isObject } from "../../oci/index.ts";

/** Texts by name: each is set, or taken away where it is `null`. `null` for all takes every one away. */
export type TextChange = Readonly<Record<string, string | null>> | null;

/** A list: another one, or some added behind the others and some taken away. `null` takes all away. */
export type ListChange =
  | readonly string[]
  | { readonly add?: readonly string[] | undefined; readonly remove?: readonly string[] | undefined }
  | null;

/** A document with one member set; taken away where the value is `null` or `undefined`, and left as it is where it was not there. */
export const withMember = (document: JsonObject, member: string, value: unknown): JsonObject => {
  if (value !== null && value !== undefined) return { ...document, [member]: value };
  if (!Object.hasOwn(document, member)) return document;
  return Object.fromEntries(Object.entries(document).filter(([name]) => name !== member));
};

/** The same of a list or an object, which is taken away when nothing is left in it. */
export const withFilled = (document: JsonObject, member: string, value: readonly unknown[] | object): JsonObject =>
  withMember(document, member, (Array.isArray(value) ? value : Object.keys(value)).length === 0 ? undefined : value);

/** A member that is an object of something by name; none where it is left out or `null`. @throws DrayError `MANIFEST_INVALID` */
export const objectIn = (document: JsonObject, member: string): JsonObject => {
  const value = document[member] ?? {};
  if (isObject(value)) return value;
  throw wrong(member, "object");
};

/** A member that is a list of texts; none where it is left out or `null`. @throws DrayError `MANIFEST_INVALID` */
export const textsIn = (document: JsonObject, member: string): readonly string[] => {
  const value = document[member] ?? [];
  if (Array.isArray(value) && value.every((text) => typeof text === "string")) return value;
  throw wrong(member, "list of strings");
};

const wrong = (member: string, wanted: string): DrayError =>
  new DrayError(
    "MANIFEST_INVALID",
    `"${member}" is no ${wanted}, so it cannot be changed; take it away, or write the configuration anew`,
  );

/** Texts by name after a change. */
export const changedTexts = (before: JsonObject, change: TextChange): JsonObject => {
  let after = change === null ? {} : before;
  for (const [name, text] of Object.entries(change ?? {})) after = withMember(after, name, text);
  return after;
};

/** A list after a change. What is added and there already stays where it is. @param isSame whether an entry is one that is to go */
export const changedList = (
  before: readonly string[],
  change: ListChange,
  isSame: (entry: string, said: string) => boolean = (entry, said) => entry === said,
): readonly string[] => {
  if (change === null) return [];
  if (isList(change)) return change;
  const { add = [], remove = [] } = change;
  const kept = before.filter((entry) => !remove.some((said) => isSame(entry, said)));
  return [...kept, ...add.filter((entry, i) => !kept.includes(entry) && add.indexOf(entry) === i)];
};

/** `Array.isArray` does not know lists that are only read. */
const isList = (change: ListChange): change is readonly string[] => Array.isArray(change);
