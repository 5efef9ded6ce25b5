import { isIP } from "node:net";
import type { ConfigContext } from "@dray/service/config";
import { addressFault, fitsSocket, type Limits, type ListenAddress, parseAddress } from "@dray/service/http-server";
import type { TlsFiles } from "@dray/service/program";
import { defined } from "dray/internal/defined";
import { suites } from "../cipher-suites.ts";
import type { DebugSettings, ListenSettings } from "./types.ts";

export const listenOf = (context: ConfigContext): ListenSettings | undefined => {
  const { values, warn } = context;
  const address = addressOf(context);
  const tls = tlsOf(context);
  if (values.withFile && !values.has("http.addr"))
    warn(
      "http.addr",
      "is absent; distribution would listen on every interface at a port of chance, Dray listens on 127.0.0.1:5000",
    );
  if (address === undefined) return undefined;
  const connections = values.number("dray.limits.connections");
  return defined({
    address,
    tls,
    headers: values.maybe<ListenSettings["headers"]>("http.headers") ?? {},
    limits: defined<Limits>({
      headers: values.number("dray.limits.headers"),
      idle: values.number("dray.limits.idle"),
      keepAlive: values.number("dray.limits.keepalive"),
      headerBytes: values.number("dray.limits.headersize"),
      target: values.number("dray.limits.target"),
      connections: connections === 0 ? undefined : connections,
    }),
    memory: values.number("dray.limits.memory"),
    trustedProxies: values.list("dray.trustedproxies"),
    drain: values.number("http.draintimeout"),
  });
};

/** Where it listens. */
export const addressOf = ({ values, complain }: ConfigContext): ListenAddress | undefined => {
  const addr = values.text("http.addr");
  if (values.text("http.net") === "unix") {
    if (!values.has("http.addr")) return complain("http.addr", "is missing; name the path of the socket");
    if (parseAddress(addr) !== undefined)
      return complain("http.addr", "is no path of a socket; write one, as /run/dray/http.sock, or http.net: tcp");
    if (fitsSocket(addr)) return { unix: addr };
    return complain("http.addr", "its path is too long for a unix socket; choose one of 103 bytes at most");
  }
  return parseAddress(addr) ?? complain("http.addr", `${JSON.stringify(addr)} ${addressFault(addr, 5000)}`);
};

/** Whether only this machine can reach it. */
export const isLoopback = (address: ListenAddress): boolean =>
  "unix" in address ||
  address.host === "localhost" ||
  address.host === "::1" ||
  (isIP(address.host) === 4 && address.host.startsWith("127."));

/** By OpenSSL's names. Those of TLS 1.3 are always there, as in Go: without them the runtime would not speak it. */
const ciphersOf = (names: readonly string[]): string => {
  const always = [...suites.values()].filter((name) => name.startsWith("TLS_"));
  return [...new Set([...names.map((name) => suites.get(name) ?? name), ...always])].join(":");
};

const tlsOf = ({ values, complain, warn }: ConfigContext): TlsFiles | undefined => {
  const certificate = values.maybe<string>("http.tls.certificate");
  const key = values.maybe<string>("http.tls.key");
  const clientCas = values.list("http.tls.clientcas");
  const clientAuth = values.maybe<string>("http.tls.clientauth");
  if (clientAuth !== undefined && clientCas.length === 0)
    complain(
      "http.tls.clientauth",
      "nothing tells whose certificates clients may show; name their signers in http.tls.clientcas",
    );
  if (certificate !== undefined && key === undefined)
    return complain("http.tls.certificate", "its key is missing; name it in http.tls.key");
  if (certificate === undefined && (key !== undefined || clientCas.length > 0))
    return complain(
      key === undefined ? "http.tls.clientcas" : "http.tls.key",
      "there is no certificate, and without one no TLS; name it in http.tls.certificate",
    );
  if (certificate === undefined || key === undefined) return undefined;
  const minVersion = values.text("http.tls.minimumtls") === "tls1.3" ? "TLSv1.3" : "TLSv1.2";
  const names = values.list("http.tls.ciphersuites");
  if (names.length > 0 && minVersion === "TLSv1.3")
    warn("http.tls.ciphersuites", "has no effect: TLS 1.3 chooses among its own, as in distribution");
  return defined({
    certificate,
    key,
    clientCas,
    minVersion,
    clientAuth: clientCas.length === 0 ? undefined : clientAuth === "request-client-cert" ? "request" : "require",
    ciphers: names.length === 0 || minVersion === "TLSv1.3" ? undefined : ciphersOf(names),
  });
};

/** Whether two sockets cannot be there at once. Port 0 is another one each time. */
const meet = (one: ListenAddress, other: ListenAddress): boolean => {
  if ("unix" in one || "unix" in other || one.port !== other.port || one.port === 0) return false;
  const hosts = [one.host, other.host].map((host) => host.replace(/^localhost$/, "127.0.0.1"));
  return hosts[0] === hosts[1] || hosts.some((host) => host === "::" || host === "0.0.0.0");
};

export const debugOf = ({ values, complain, warn }: ConfigContext): DebugSettings | undefined => {
  const addr = values.maybe<string>("http.debug.addr");
  const metrics = values.truth("http.debug.prometheus.enabled");
  const address = addr === undefined ? undefined : parseAddress(addr);
  if (metrics && addr === undefined)
    warn("http.debug.prometheus.enabled", "has no effect without http.debug.addr, which says where metrics are served");
  if (address === undefined) return undefined;
  const other = values.text("http.net") === "tcp" ? parseAddress(values.text("http.addr")) : undefined;
  if (other !== undefined && meet(address, other))
    return complain("http.debug.addr", "is the address of the registry itself; choose another port");
  return defined({ address, metrics: metrics ? values.text("http.debug.prometheus.path") : undefined });
};
