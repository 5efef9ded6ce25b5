import { errnoOf } from "dray/internal/files";

/** `ELOOP`: a link to itself leads nowhere. */
const nothing: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ENAMETOOLONG", "ELOOP"]);

/** What is not there is no failure; nor is what cannot be there. */
export const ifThere = async <T>(look: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await look();
  } catch (error) {
    const code = errnoOf(error);
    if (code !== undefined && nothing.has(code)) return undefined;
    throw error;
  }
};
