import { join } from "node:path";
import { type Listener, listen, memoryRegistry, type SampleImageOptions, sampleImage } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { anonymous, type Keychain } from "dray/auth";
import { bytesContent, collect } from "dray/content";
import { connection, type HeaderPairs, header } from "dray/http";
import { digestOf } from "dray/oci";
import { connect } from "dray/registry";
import { loadWatchSettings, type WatchSettings } from "../src/config/index.ts";
import { serveWatch, type WatchServing } from "../src/serve/index.ts";

/** A real registry in memory, on a socket, with a way to push there. */
export const registryToWatch = async (
  /** What each answer says beside its own. */
  said: HeaderPairs = [],
): Promise<
  Listener & {
    readonly requests: string[];
    push(repository: string, tag: string, image?: SampleImageOptions): Promise<string>;
  }
> => {
  const { handler } = memoryRegistry();
  const requests: string[] = [];
  const listener = await listen(async (request) => {
    if (request.headers.some(([name, value]) => name.toLowerCase() === "user-agent" && value.includes("pusher")))
      return handler(request);
    requests.push(`${request.method} ${request.target}`);
    const response = await handler(request);
    return { ...response, headers: [...response.headers, ...said] };
  });
  const push = async (name: string, tag: string, options: SampleImageOptions = {}): Promise<string> => {
    const registry = connect(listener.host, {
      credentials: anonymous,
      stateDir: false,
      plainHttp: true,
      userAgent: "pusher",
    });
    const repository = registry.repository(name);
    const image = sampleImage({ seed: tag, layers: 1, layerSize: 100, ...options });
    for (const bytes of image.blobs.values())
      await repository.write(
        { mediaType: "application/octet-stream", digest: digestOf(bytes), size: bytes.byteLength },
        bytesContent(bytes),
        { kind: "blob" },
      );
    for (const { mediaType, bytes } of image.manifests.values())
      await repository.ingest(bytesContent(bytes), { mediaType });
    await repository.tag(image.root, tag);
    await registry.close();
    return image.root.digest;
  };
  return Object.assign(listener, { requests, push });
};

/** A service by its configuration, on a free port. */
export const served = async (
  yaml: string,
  { env = {}, again, keychain }: { env?: Record<string, string>; again?: () => string; keychain?: Keychain } = {},
): Promise<{
  readonly serving: WatchServing;
  readonly settings: WatchSettings;
  readonly close: () => Promise<void>;
}> => {
  const db = join(temporaryFolder("watch-serve"), "watch.db");
  const load = (text: string): WatchSettings =>
    loadWatchSettings({
      text,
      env: { HOME: "/nowhere", ...env },
      flags: { set: [`db=${db}`, "log.level=error"], named: {} },
    }).settings;
  const text = yaml.includes("addr:") ? yaml : `${yaml}\nhttp: { addr: "127.0.0.1:0" }\n`;
  const settings = load(text);
  const serving = await serveWatch(settings, {
    version: "1.2.3",
    ...(keychain === undefined ? {} : { keychain: () => keychain }),
    connect: () => ({ credentials: anonymous, stateDir: false, plainHttp: true }),
    ...(again === undefined ? {} : { settings: async () => load(again()) }),
  });
  return { serving, settings, close: () => serving.stop(AbortSignal.abort()) };
};

/** An answer of the API. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Whatever it is: tests look at what they expect. */
  readonly json: ReturnType<typeof JSON.parse>;
}

/** A question to the API. */
export const ask = async (
  origin: string,
  path: string,
  {
    token,
    body,
    headers = {},
    method = body === undefined ? "GET" : "POST",
  }: { token?: string; body?: string; headers?: Record<string, string>; method?: string } = {},
): Promise<Answer> => {
  const send = connection();
  const said = token === undefined ? headers : { Authorization: `Bearer ${token}`, ...headers };
  const content = body === undefined ? {} : { body: bytesContent(new TextEncoder().encode(body)) };
  const response = await send({
    method,
    origin,
    target: path.replaceAll(" ", "%20"),
    headers: Object.entries(said),
    ...content,
  });
  const text = new TextDecoder().decode(await collect(response.body.chunks, 1 << 24, "the answer"));
  await send.close();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, text, json };
};

/** What an endpoint that goes on and on says until it has said some text. */
export const hear = async (
  origin: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<{
  readonly type: string | undefined;
  readonly until: (text: string) => Promise<string>;
  readonly close: () => Promise<void>;
}> => {
  const send = connection();
  const accepting = { Accept: "text/event-stream", ...headers };
  const response = await send({ method: "GET", origin, target: path, headers: Object.entries(accepting) });
  const chunks = response.body.chunks[Symbol.asyncIterator]();
  let said = "";
  return {
    type: header(response.headers, "content-type"),
    until: async (text) => {
      while (!said.includes(text)) {
        const { value, done } = await chunks.next();
        if (done === true) throw new Error(`it ended, and had said ${said}`);
        said += new TextDecoder().decode(value as Uint8Array);
      }
      return said;
    },
    close: async () => {
      await response.body.discard();
      await send.close();
    },
  };
};

/** Waits until something holds, for as long as a test may take. */
export const until = async <T>(look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> => {
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
