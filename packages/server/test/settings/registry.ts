import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";
import type { ConnectionOptions } from "node:tls";
import { control } from "@dray/service/control";
import { digestOf } from "dray/oci";
import type { Sources } from "../../src/config/index.ts";
import { type ControlClient, controls } from "../../src/serve/controls.ts";
import type { Places } from "./case.ts";
import type { Answer } from "./host.ts";
import type { HostProcess } from "./host-process.ts";

/** An answer that was read to its end. */
export interface Answered {
  readonly status: number;
  readonly text: string;
  /** All values of it; `""` where there are none. */
  header(name: string): string;
}

interface AskOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly origin?: string;
  readonly tls?: ConnectionOptions;
}

export interface StartOptions {
  readonly host: HostProcess;
  readonly places: Places;
  readonly sources: Sources;
  /** What keys say in the end. */
  readonly said: Readonly<Record<string, string>>;
}

/** A registry that runs in the host's process, as those outside see it. */
export class Registry {
  /** Why it did not start. */
  readonly refused: string | undefined;
  readonly warnings: readonly string[];
  readonly origin: string;
  readonly places: Places;
  readonly #options: StartOptions;
  readonly #marks: Readonly<Record<"out" | "err", number>>;
  #running: boolean;

  private constructor(options: StartOptions, marks: Readonly<Record<"out" | "err", number>>, answer: Answer) {
    const { refused, origin = "", warnings = [] } = answer;
    this.#options = options;
    this.#marks = marks;
    this.refused = refused;
    this.origin = origin;
    this.warnings = warnings;
    this.places = options.places;
    this.#running = refused === undefined;
  }

  static async start(options: StartOptions): Promise<Registry> {
    const { host, sources } = options;
    const marks = { out: host.written("out").length, err: host.written("err").length };
    return new Registry(options, marks, await host.ask({ ask: "start", sources }));
  }

  /** What a key says. */
  said(key: string): string | undefined {
    return this.#options.said[key];
  }

  get folder(): string {
    return this.places.data;
  }

  /** Where its process works. */
  get workplace(): string {
    return this.#options.host.folder;
  }

  get #host(): HostProcess {
    return this.#options.host;
  }

  /** What it wrote since it started. */
  written(stream: "out" | "err"): string {
    return this.#host.written(stream).slice(this.#marks[stream]);
  }

  /** Everything that it logged so far is written then: a reload writes what waits before it opens files again. */
  async flush(): Promise<void> {
    await this.reload();
    await this.reload();
  }

  async reload(): Promise<string | undefined> {
    return (await this.#host.ask({ ask: "reload" })).refused;
  }

  async syncs(): Promise<number> {
    return (await this.#host.ask({ ask: "syncs" })).syncs ?? Number.NaN;
  }

  /** Ends it at once. */
  async stop(): Promise<void> {
    await this.#end("stop");
  }

  /** Ends it as a signal does: requests may go on for a while. */
  async drain(): Promise<void> {
    await this.#end("drain");
  }

  async #end(ask: "stop" | "drain"): Promise<void> {
    if (this.#running) await this.#host.ask({ ask });
    this.#running = false;
  }

  get port(): number {
    return Number(new URL(this.origin).port);
  }

  ask(
    method: string,
    target: string,
    { headers = {}, body, origin = this.origin, tls = {} }: AskOptions = {},
  ): Promise<Answered> {
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    const length = bytes === undefined ? {} : { "Content-Length": bytes.byteLength };
    const { hostname, port, protocol } = new URL(origin);
    const ask = protocol === "https:" ? httpsRequest : httpRequest;
    const options = {
      ...tls,
      host: hostname,
      port,
      method,
      path: target,
      headers: { ...length, ...headers },
      agent: false,
    };
    return new Promise((resolve, reject) => {
      const request = ask(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            text: Buffer.concat(chunks).toString(),
            header: (name) => [response.headers[name.toLowerCase()]].flat().join(", "),
          }),
        );
      });
      request.on("error", reject);
      request.end(bytes);
    });
  }

  /** The status of a request. */
  async status(method: string, target: string, options?: AskOptions): Promise<number> {
    return (await this.ask(method, target, options)).status;
  }

  /** Pushes a blob, and gives the status. */
  push(repository: string, content: string, headers: Readonly<Record<string, string>> = {}): Promise<Answered> {
    const target = `/v2/${repository}/blobs/uploads/?digest=${digestOf(Buffer.from(content))}`;
    return this.ask("POST", target, { body: content, headers });
  }

  /** Pushes an image of its own without layers, and gives its digest. */
  async pushImage(repository: string, reference: string, note = ""): Promise<string> {
    await this.push(repository, "{}");
    const manifest = imageOf(note);
    const { status } = await this.put(repository, reference, manifest);
    if (status !== 201) throw new Error(`the image was not taken: ${status}`);
    return digestOf(Buffer.from(manifest));
  }

  put(repository: string, reference: string, manifest: string): Promise<Answered> {
    const { mediaType } = JSON.parse(manifest) as { mediaType: string };
    return this.ask("PUT", `/v2/${repository}/manifests/${reference}`, {
      body: manifest,
      headers: { "Content-Type": mediaType },
    });
  }

  /** Of one whose data is in the file system. */
  async control(): Promise<ControlClient> {
    const client = await control(join(this.folder, "data/dray/control.sock"), controls);
    if (client === undefined) throw new Error("nobody answers at the control socket");
    return client;
  }
}

export const imageOf = (note: string): string => {
  const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(Buffer.from("{}")), size: 2 };
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  return JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [], annotations: { note } });
};
