import { Argument, type Command } from "commander";
import { completionScript, type Shell, shells } from "../completion/index.ts";
import type { Call } from "../context.ts";
import type { SharedOptions } from "../flags.ts";

export const define = (command: Command): void => {
  command
    .addArgument(new Argument("<shell>", "which shell").choices(shells))
    .option("--no-descriptions", "words only, without what they mean")
    .addHelpText("after", "\nFor bash: source <(dray completion bash)\nFor fish: dray completion fish | source");
};

export const act = async (
  { options, out }: Call<SharedOptions & { readonly descriptions?: boolean }>,
  [shell]: readonly string[],
): Promise<void> => {
  await out.text(completionScript(shell as Shell, { descriptions: options.descriptions !== false }));
};
