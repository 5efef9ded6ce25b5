import type { RegistrySettings } from "../context.ts";
import { RegistryError } from "../registry-error.ts";
import type { Route } from "./route.ts";

const reading: readonly string[] = ["GET", "HEAD"];

/** What can be done at each kind of route; the others end in an error whatever the method. `OPTIONS` is answered before. */
export const methods: ReadonlyMap<Route["kind"], readonly string[]> = new Map([
  ["root", reading],
  ["ping", reading],
  ["catalog", reading],
  ["extensions", reading],
  ["tags", reading],
  ["referrers", reading],
  ["manifest", [...reading, "PUT", "DELETE"]],
  ["blob", [...reading, "DELETE"]],
  ["uploads", ["POST"]],
  ["upload", [...reading, "PATCH", "PUT", "DELETE"]],
]);

/** @throws RegistryError 405 for a method that the route does not have */
export const refuseMethod = (method: string, { kind }: Route): void => {
  if (methods.get(kind)?.includes(method) === false)
    throw new RegistryError(405, "UNSUPPORTED", "there is no such method here");
};

/** A 405 says what is allowed, as things are now. @see https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6 */
export const withAllow = (
  refusal: RegistryError,
  { kind }: Route,
  { readOnly, deletes }: RegistrySettings,
): RegistryError => {
  if (refusal.status !== 405) return refusal;
  const allowed = (methods.get(kind) ?? []).filter((method) =>
    readOnly ? reading.includes(method) : kind === "upload" || deletes || method !== "DELETE",
  );
  const { status, code, message, headers, detail } = refusal;
  return new RegistryError(status, code, message, { headers: { ...headers, Allow: allowed.join(", ") }, detail });
};
