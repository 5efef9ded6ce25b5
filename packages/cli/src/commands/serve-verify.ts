import type { Command } from "commander";
import { printable } from "dray/errors";
import type { Call } from "../context.ts";
import { maintained } from "../control-client.ts";
import { outputFlag } from "../flags.ts";
import { document, jsonText } from "../json.ts";
import { formatBytes, plural } from "../progress/index.ts";
import { type ServingOptions, servingFlags } from "../serve-flags.ts";

export const define = (command: Command): void => {
  servingFlags(command).addOption(outputFlag());
};

/** 1 where a blob is not what its name says. */
export const act = (call: Call<ServingOptions>, words: readonly string[]): Promise<number> =>
  maintained(call, words, async (client) => {
    const { options, out, signal } = call;
    const json = options.output === "json";
    const { blobs, bytes, damaged } = await client.ask(
      "verify",
      {},
      {
        signal,
        onProgress: ({ digest, reason }) =>
          void out.line(json ? jsonText({ schemaVersion: 1, digest, reason }) : `${digest} ${printable(reason)}`),
      },
    );
    await out.line(
      json
        ? document({ blobs, bytes, damaged })
        : `${plural(blobs, "blob")}, ${formatBytes(bytes)}: ${damaged === 0 ? "each is what its name says" : `${damaged} damaged`}`,
    );
    return damaged === 0 ? 0 : 1;
  });
