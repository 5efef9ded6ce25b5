import type { FileFacts } from "../files/index.ts";

/**
 * Whether no other user can have put a file there, or can write into it. Root has everything in its hands anyway; where files have no owners, nobody is
 * asked.
 */
export const isOurs = ({ uid, mode }: FileFacts): boolean => {
  const user = process.getuid?.();
  return user === undefined || ((uid === user || uid === 0) && (mode & 0o022) === 0);
};
