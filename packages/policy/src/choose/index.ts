/** Which of many tags a policy chooses, and why each was chosen or not. What images are it is told by whoever asks. */
export type { Choice, Collision, Verdict } from "./choice.ts";
export { type ChooseOptions, chooseTag } from "./choose-tag.ts";
export { explain } from "./explain.ts";
export type { ImageFacts, Refusal } from "./facts.ts";
