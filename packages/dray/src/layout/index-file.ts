import { DrayError } from "../errors.ts";
import { asDescriptor, type Index, isObject } from "../oci/index.ts";

/** The version of layouts that is read and written. */
export const layoutVersion = "1.0.0";
/** The file `oci-layout`. */
export const marker: string = `{\n    "imageLayoutVersion": "${layoutVersion}"\n}`;

/** The file `index.json`, in the form that crane gives it. */
export const formatIndex = (index: Index): string => JSON.stringify(index, null, 3);

/** Checks that a JSON value is the index of a layout. @throws DrayError saying what is wrong */
export const asIndex = (value: unknown): Index => {
  if (!isObject(value)) throw new DrayError("LAYOUT_INVALID", "it is no JSON object");
  if (value["schemaVersion"] !== 2)
    throw new DrayError("LAYOUT_INVALID", `schemaVersion ${JSON.stringify(value["schemaVersion"] ?? null)} is not 2`);
  const manifests = value["manifests"] ?? [];
  if (!Array.isArray(manifests)) throw new DrayError("LAYOUT_INVALID", `"manifests" is no list`);
  return { ...value, schemaVersion: 2, manifests: manifests.map((entry, i) => asDescriptor(entry, `manifests[${i}]`)) };
};
