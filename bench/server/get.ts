/** One request over a connection of its own. */
import { request } from "node:http";
import { accept } from "./wrk.ts";

/** @throws where nobody answers */
export const get = (url: string): Promise<{ readonly status: number; readonly bytes: number }> =>
  new Promise((resolve, reject) => {
    const asking = request(url, { agent: false, headers: { Accept: accept } }, (response) => {
      let bytes = 0;
      response.on("data", (part: Buffer) => {
        bytes += part.length;
      });
      response.on("end", () => resolve({ status: response.statusCode as number, bytes }));
      response.on("error", reject);
    });
    asking.on("error", reject);
    asking.end();
  });
