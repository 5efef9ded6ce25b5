import { Argument } from "commander";
import { completionScript, type Shell, shells } from "../completion/index.ts";
import type { Act, Define } from "../context.ts";
import type { SharedOptions } from "../flags.ts";

export const define: Define = (command) =>
  command
    .addArgument(new Argument("<shell>", "which shell").choices(shells))
    .option("--no-descriptions", "words only, without what they mean");

export const examples: readonly string[] = ["source <(dray completion bash)", "dray completion fish | source"];

export const act: Act<SharedOptions & { readonly descriptions?: boolean }> = async ({ options, out }, [shell]) => {
  await out.text(completionScript(shell as Shell, { descriptions: options.descriptions !== false }));
};
