/** Waits for all, also where one fails: then nothing goes on behind the caller's back. @throws what the first of them threw */
export const allOf = async (works: readonly Promise<unknown>[]): Promise<void> => {
  for (const result of await Promise.allSettled(works)) if (result.status === "rejected") throw result.reason;
};
