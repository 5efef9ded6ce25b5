import { assign, takesParts } from "./assign.ts";
import { keyOf, keys, namesBelow } from "./keys/index.ts";
import { nearest } from "./nearest.ts";
import type { ConfigNode, MapNode, Origin, Remark } from "./node.ts";
import type { Flags } from "./settings/types.ts";
import { setListen, valueOf } from "./variables.ts";

/** Lets flags win over everything. A key that `--set` names must be one. */
export const overlayFlags = (
  root: MapNode,
  { data, listen, readOnly, logLevel, set = [] }: Flags,
): readonly Remark[] => {
  const complaints: Remark[] = [];
  for (const [index, text] of set.entries()) {
    const origin: Origin = { kind: "flag", name: set.length > 1 ? `--set (number ${index + 1})` : "--set" };
    const [, key = "", value = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (!isKey(key)) {
      const close = nearest(
        key,
        keys.map(({ path }) => path),
      );
      const remedy = close === undefined ? "write KEY=VALUE, as dray.gc.grace=1h" : `did you mean ${close}?`;
      complaints.push({ key: "", origin, message: `no key is called so; ${remedy}` });
      continue;
    }
    const { node, faults } = valueOf(value, key, origin);
    complaints.push(...faults);
    const nothing: ConfigNode = { kind: "scalar", text: "", plain: true, origin };
    const wrong = faults.length > 0 ? undefined : assign(root, key.split("."), node ?? nothing);
    if (wrong !== undefined) complaints.push({ key, origin, message: wrong });
  }
  const put = (path: string, name: string, value: string | boolean | undefined): void => {
    if (value === undefined) return;
    const node: ConfigNode = { kind: "scalar", text: String(value), plain: false, origin: { kind: "flag", name } };
    assign(root, path.split("."), node);
  };
  put("storage.filesystem.rootdirectory", "--data", data);
  put("storage.maintenance.readonly.enabled", "--read-only", readOnly);
  put("log.level", "--log-level", logLevel);
  if (listen !== undefined) setListen(root, listen, { kind: "flag", name: "--listen" });
  return complaints;
};

/** A key, a part with keys in it, or something in a key that takes anything. */
const isKey = (path: string): boolean => {
  if (path === "" || path === "version") return false;
  if (keyOf.has(path) || namesBelow(path).length > 0) return true;
  const words = path.split(".");
  return words.some((_, index) => takesParts(words.slice(0, index).join(".")));
};
