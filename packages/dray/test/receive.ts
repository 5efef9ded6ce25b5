import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Landing } from "../src/files/receive.ts";
import type { Descriptor } from "../src/oci/index.ts";

/** Receives `seededBytes("received", descriptor.size)` in a process of its own, which is killed when so many bytes were asked for and no more come. */
export const killedAfter = async (
  upTo: number,
  chunk: number,
  descriptor: Descriptor,
  landing: Landing,
): Promise<void> => {
  const path = (name: string): string => JSON.stringify(fileURLToPath(new URL(name, import.meta.url)));
  const script = `
    import { nodeFiles, receive } from ${path("../src/files/index.ts")};
    import { seededBytes } from ${JSON.stringify(import.meta.resolve("@dray/testkit/files"))};
    const bytes = seededBytes("received", ${descriptor.size});
    const content = { async *open() {
      for (let at = 0; at < ${upTo}; at += ${chunk}) yield bytes.subarray(at, at + ${chunk});
      console.log("no more");
      setInterval(() => {}, 1000);
      await new Promise(() => {});
    } };
    await receive(nodeFiles, content, ${JSON.stringify(descriptor)}, ${JSON.stringify(landing)});`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
};
