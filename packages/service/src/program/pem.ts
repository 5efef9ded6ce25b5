import { X509Certificate } from "node:crypto";

/** The certificates of a PEM file, each as its own text, in their order. */
export const certificatesIn = (text: string): readonly string[] =>
  text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];

/** `undefined` for one that cannot be read. */
export const certificateOf = (block: string): X509Certificate | undefined => {
  try {
    return new X509Certificate(block);
  } catch {
    return undefined;
  }
};
