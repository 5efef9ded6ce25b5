/** A registry with very many tags. It runs in a process of its own, so that its work is not counted as the client's. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { listen, memoryRegistry } from "@dray/testkit";
import type { Place } from "./programs.ts";

export const startManyTags = async (count: number): Promise<Place & { close(): Promise<void> }> => {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), String(count)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const host = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (data: Buffer) => resolve(data.toString().trim()));
    child.once("exit", (code) => reject(new Error(`the registry with many tags ended with ${code}`)));
  });
  return { host, close: async () => void child.kill() };
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const count = Number(process.argv[2]);
  const registry = memoryRegistry({ pageSize: 1000 });
  registry.addTags(
    "bench/tags",
    Array.from({ length: count }, (_, i) => `v${Math.floor(i / 1000)}.${i % 1000}.0-build${i}`),
  );
  process.stdout.write(`${(await listen(registry.handler)).host}\n`);
}
