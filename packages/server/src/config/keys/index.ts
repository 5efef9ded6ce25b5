import { authKeys } from "./access.ts";
import { ownKeys } from "./dray.ts";
import { aroundKeys } from "./general.ts";
import { httpKeys } from "./http.ts";
import type { Key } from "./key.ts";
import { storageKeys } from "./storage.ts";

export type { Key } from "./key.ts";

/** Every key there is: of distribution 2.8 and 3, and ours. */
export const keys: readonly Key[] = [...aroundKeys, ...storageKeys, ...authKeys, ...httpKeys, ...ownKeys];

export const keyOf: ReadonlyMap<string, Key> = new Map(keys.map((key) => [key.path, key]));

/** The names that stand directly below a path. */
export const namesBelow = (path: string): readonly string[] => below.get(path) ?? [];

const below = new Map<string, string[]>();
for (const { path } of keys) {
  const parts = path.split(".");
  for (const [index, part] of parts.entries()) {
    const above = parts.slice(0, index).join(".");
    const names = below.get(above) ?? [];
    if (!names.includes(part)) names.push(part);
    below.set(above, names);
  }
}

/** What a scalar stands for where a map belongs: `auth: none`, `readonly: true`. */
export const shorthands: Readonly<Record<string, { readonly name: true } | { readonly member: string }>> = {
  storage: { name: true },
  auth: { name: true },
  "storage.maintenance.readonly": { member: "enabled" },
  "storage.maintenance.uploadpurging": { member: "enabled" },
};
