import { printable } from "dray/errors";
import type { Act } from "../context.ts";
import { asking } from "../control-client.ts";
import { printResult } from "../json.ts";
import { formatBytes, plural } from "../progress/index.ts";

export { askingFlags as define } from "../control-client.ts";

/** 1 where a blob is not what its name says. */
export const act: Act = asking({ name: "verify", reads: () => true }, async (client, call) => {
  const onProgress = (damage: { digest: string; reason: string }): void =>
    void printResult(call, { ...damage }, `${damage.digest} ${printable(damage.reason)}`);
  const { blobs, bytes, damaged } = await client.ask("verify", {}, { signal: call.signal, onProgress });
  const verdict = damaged === 0 ? "each is what its name says" : `${damaged} damaged`;
  await printResult(call, { blobs, bytes, damaged }, `${plural(blobs, "blob")}, ${formatBytes(bytes)}: ${verdict}`);
  return damaged === 0 ? 0 : 1;
});
