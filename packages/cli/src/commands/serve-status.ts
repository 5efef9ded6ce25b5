import { formatBytes, formatDuration } from "@dray/service/figures";
import { printable } from "dray/errors";
import type { Act } from "../context.ts";
import { knocking } from "../control-client.ts";
import { printResult } from "../json.ts";

export { askingFlags as define } from "../control-client.ts";

export const examples: readonly string[] = ["dray serve status", "dray serve status -o json config.yml"];

export const act: Act = knocking(async (client, call) => {
  const status = await client.ask("status", {}, { signal: call.signal });
  const lines = Object.entries(status).map(([name, value]) => {
    const { label = name, said = String } = rows[name] ?? {};
    return `${label.padEnd(14)}${printable(said(value))}`;
  });
  await printResult(call, { status }, lines);
});

interface Row {
  /** Where the member's own name says too little without its unit. */
  readonly label?: string;
  readonly said?: (value: unknown) => string;
}

const yesOrNo = (value: unknown): string => (value === true ? "yes" : "no");

const size = (value: unknown): string => formatBytes(Number(value));

/** Members with a unit, and answers to questions. */
const rows: Readonly<Record<string, Row>> = {
  seconds: { label: "running for", said: (value) => formatDuration(Number(value) * 1000) },
  whole: { label: "index whole", said: yesOrNo },
  readOnly: { label: "read-only", said: yesOrNo },
  writes: { said: yesOrNo },
  gcPausedUntil: { label: "gc paused", said: (until) => `until ${String(until)}` },
  uploads: { said: (value) => `${Number(value)} open` },
  diskFree: { label: "disk free", said: size },
  diskSize: { label: "disk size", said: size },
  diskKept: { label: "disk kept", said: (value) => `${size(value)} stay free (dray.freespace)` },
  diskPromised: { label: "disk promised", said: (value) => `${size(value)} to pushes on their way` },
  memory: { said: (value) => `${formatBytes(Number(value))} of manifests and lists` },
};
