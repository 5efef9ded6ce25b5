import type { Policy } from "../policy/index.ts";
import type { Verdict } from "./choice.ts";
import { type ChooseOptions, chooseTag } from "./choose-tag.ts";

/**
 * Says for each tag, in their order, why a policy chooses it or does not. Tags are gone through twice, and nothing is kept of them.
 * @throws DrayError `ABORTED`
 * @example for await (const { code, text } of explain(["1.2.0", "latest"], policy)) console.log(code, text);
 */
export async function* explain(
  tags: readonly string[],
  policy: Policy,
  options: ChooseOptions = {},
): AsyncGenerator<Verdict> {
  const { why } = await chooseTag(tags, policy, options);
  for (const tag of tags) yield why(tag);
}
