import { isDrayError } from "dray/errors";
import { parseReference, type Reference } from "dray/oci";

/** The reference that a program says of what runs; `undefined` where its words are none, such as an identifier. */
export const readableReference = (text: string): Reference | undefined => {
  try {
    return parseReference(text);
  } catch (error) {
    if (isDrayError(error, "REFERENCE_INVALID")) return undefined;
    throw error;
  }
};
