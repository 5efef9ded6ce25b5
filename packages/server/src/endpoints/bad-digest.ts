import { RegistryError } from "../registry-error.ts";

/** For text from a client that stands where a digest belongs; `null`: nothing stands there. */
export const badDigest = (text: string | null): RegistryError =>
  new RegistryError(
    400,
    "DIGEST_INVALID",
    text === null
      ? "the query names no digest"
      : `${JSON.stringify(text.slice(0, 200))} is no digest that this registry knows`,
  );
