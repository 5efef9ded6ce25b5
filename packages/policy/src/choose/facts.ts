import type { Platform } from "dray/oci";
import type { Policy } from "../policy/index.ts";
import { ageText, knownTime } from "../times.ts";

/** What is known of the image behind a tag, as far as it was asked for. */
export interface ImageFacts {
  /** When it was released: milliseconds since 1970, a `Date` or RFC 3339. 1970, 1980 and the future count as unknown. */
  readonly time?: number | Date | string | undefined;
  readonly platforms?: readonly Platform[] | undefined;
  readonly signature?: boolean | undefined;
  readonly sbom?: boolean | undefined;
  /** Why it cannot be read, such as `its manifest is missing`: a broken tag is passed over. */
  readonly error?: string | undefined;
}

/** Why an image is not taken that its name speaks for. */
export interface Refusal {
  readonly code: "unreadable" | "too-young" | "platform" | "signature" | "sbom" | "time-unknown";
  readonly text: string;
  /** When it will be old enough, in milliseconds since 1970. */
  readonly until?: number;
}

/** Whether an image has what a policy wants, at a moment. An age that is not known holds nothing back. */
export const refusalOf = (policy: Policy, facts: ImageFacts, now: number): Refusal | undefined => {
  if (facts.error !== undefined) return { code: "unreadable", text: `cannot be read: ${facts.error}` };
  const time = knownTime(facts.time, now);
  if (time !== undefined && now - time < policy.minAge) {
    const text = `was released ${ageText(now - time)} ago, and has to be ${ageText(policy.minAge)} old`;
    return { code: "too-young", text, until: time + policy.minAge };
  }
  if (policy.facts.includes("platforms")) {
    if (facts.platforms === undefined) return { code: "platform", text: "does not say its platforms" };
    const lacking = policy.lacksPlatform(facts.platforms);
    if (lacking !== undefined) return { code: "platform", text: `is not there for ${lacking}` };
  }
  if (policy.facts.includes("signature") && facts.signature !== true)
    return { code: "signature", text: "has no signature" };
  if (policy.facts.includes("sbom") && facts.sbom !== true) return { code: "sbom", text: "has no SBOM" };
  return undefined;
};
