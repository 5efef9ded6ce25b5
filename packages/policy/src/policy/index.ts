/** Policies: data that is checked, and what it says of a tag by its name. Imports orders and filters; knows no image. */
export type { DigestReflection, Direction, PolicyDocument, Requirement } from "./document.ts";
export type { LeftOut } from "./left-out.ts";
export { type Candidate, type Fact, isCandidate, type Policy, readPolicy } from "./policy.ts";
