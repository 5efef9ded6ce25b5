import type { IncomingMessage } from "node:http";
import { request as plainRequest } from "node:http";
import { type RequestOptions, request } from "node:https";
import {
  CoreV1Api,
  createConfiguration,
  type KubeConfig,
  type RequestContext,
  ResponseContext,
  ServerConfiguration,
  wrapHttpLibrary,
} from "@kubernetes/client-node";
import { DrayError } from "dray/errors";

/** Bytes of an object at most: etcd keeps none that is larger. */
const largest = 8 * 1024 * 1024;

/**
 * The official client's API over `node:https`, or `node:http` where the cluster's address says so. Left to itself it goes through `fetch`, which on Bun trusts no authority of a cluster's own.
 * @throws DrayError `CONFIG_INVALID` where the configuration names no cluster
 */
export const coreApi = (config: KubeConfig, signal: AbortSignal): CoreV1Api => {
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new DrayError("CONFIG_INVALID", "the kubeconfig says of no cluster that it is the current one");
  return new CoreV1Api(
    createConfiguration({
      baseServer: new ServerConfiguration(cluster.server, {}),
      ...(isPlain(config) ? {} : { authMethods: { default: config } }),
      httpApi: wrapHttpLibrary({ send: async (context) => send(config, context, signal) }),
    }),
  );
};

/** As `kubectl proxy` listens. As with kubectl, nothing that proves who we are goes there. */
const isPlain = (config: KubeConfig): boolean => config.getCurrentCluster()?.server.startsWith("http:") === true;

const send = async (config: KubeConfig, context: RequestContext, signal: AbortSignal): Promise<ResponseContext> => {
  const options: RequestOptions = {};
  const plain = isPlain(config);
  if (!plain) await config.applyToHTTPSOptions(options);
  // Its agent is made for proxies; what it says of certificates stands beside it.
  if (config.getCurrentCluster()?.proxyUrl === undefined) delete options.agent;
  // What the client has said already, which is the same.
  delete options.auth;
  const { promise, resolve, reject } = Promise.withResolvers<ResponseContext>();
  const asked = (plain ? plainRequest : request)(
    context.getUrl(),
    { ...options, method: context.getHttpMethod(), headers: { ...context.getHeaders() }, signal },
    (response) => void bodyOf(response).then((bytes) => resolve(answer(response, bytes)), reject),
  );
  asked.on("error", reject);
  asked.end();
  return promise;
};

const bodyOf = async (response: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > largest) throw new DrayError("LIMIT_EXCEEDED", `answered with more than ${largest} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const answer = ({ statusCode = 0, headers }: IncomingMessage, bytes: Buffer): ResponseContext => {
  const texts = Object.entries(headers).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : []));
  return new ResponseContext(statusCode, Object.fromEntries(texts) as Record<string, string>, {
    text: async () => bytes.toString("utf8"),
    binary: async () => bytes,
    // Nothing that is asked for here is a stream.
    stream: () => null,
  });
};
