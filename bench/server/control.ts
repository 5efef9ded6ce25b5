/** Asks a running Dray by its control socket. */
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** @throws what it answered, when that is an error */
export const ask = (socketPath: string, what: string, options?: object): Promise<Readonly<Record<string, unknown>>> =>
  new Promise((resolve, reject) => {
    const asking = request(
      { socketPath, path: `/${what}`, method: options === undefined ? "GET" : "POST", agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          // Decisions may be many; the result is the last line.
          text = (text + part).slice(-100_000);
        });
        response.on("end", () => {
          try {
            const last = JSON.parse(text.trimEnd().split("\n").at(-1) ?? "") as { result?: Record<string, unknown> };
            if (last.result === undefined) reject(new Error(`${what}: ${JSON.stringify(last)}`));
            else resolve(last.result);
          } catch (error) {
            reject(error as Error);
          }
        });
      },
    );
    asking.on("error", reject);
    asking.end(options === undefined ? undefined : JSON.stringify(options));
  });

/** Waits until Dray's index is equal to its tree. */
export const indexWhole = async (socketPath: string): Promise<void> => {
  for (;;) {
    const status = await ask(socketPath, "status").catch(() => ({}) as Readonly<Record<string, unknown>>);
    if (status["whole"] === true) return;
    await sleep(20);
  }
};
