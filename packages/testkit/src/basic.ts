/** The user whose name and password an `Authorization: Basic` holds; `undefined` where they are wrong or missing. */
export const basicUser = (authorization: string, users: Readonly<Record<string, string>>): string | undefined => {
  const encoded = /^basic (.+)$/i.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const [, user = "", password = ""] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, "base64").toString()) ?? [];
  return Object.hasOwn(users, user) && users[user] === password ? user : undefined;
};
