import { Agent, type IncomingMessage, request } from "node:http";

/** An answer that was read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly bytes: Buffer;
}

export interface AskOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/**
 * A client of one server that does nothing by itself: no retries, no redirects. What it was not answered is not known to have been
 * done. One connection: a request after the other.
 */
export class HttpClient {
  readonly origin: string;
  /** Requests that were answered. */
  answered = 0;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(origin: string) {
    this.origin = origin;
  }

  /** @throws where no whole answer came */
  ask(method: string, path: string, { headers = {}, body }: AskOptions = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const length =
        body === undefined && method !== "POST" && method !== "PUT" && method !== "PATCH"
          ? {}
          : { "Content-Length": String(body?.byteLength ?? 0) };
      const sent = request(new URL(path, this.origin), {
        method,
        agent: this.#agent,
        headers: { ...headers, ...length },
      });
      sent.on("error", reject);
      sent.on("response", (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("close", () => {
          const bytes = Buffer.concat(parts);
          const said = response.headers["content-length"];
          if (!response.complete || (method !== "HEAD" && said !== undefined && Number(said) !== bytes.byteLength))
            reject(new Error(`${method} ${path}: the answer was cut off`));
          else {
            this.answered++;
            resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes });
          }
        });
      });
      sent.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
