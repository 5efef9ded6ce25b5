import { canonical, familiar, formatReference, isDrayError, parseReference } from "dray";

/** How a reference is written in full, for people, and as the one thing that it names; or what is wrong with it. */
export const spellings = (text: string): Record<string, string> => {
  try {
    const reference = parseReference(text, { defaultRegistry: "registry.example" });
    return { full: formatReference(reference), short: familiar(reference), exact: canonical(reference) };
  } catch (error) {
    if (isDrayError(error, "REFERENCE_INVALID")) return { wrong: error.message };
    throw error;
  }
};
