import {
  anything,
  type ConfigNode,
  choice,
  duration,
  headers,
  ignored,
  isEmpty,
  isTrue,
  type Key,
  listOf,
  needless,
  path,
  refused,
  supported,
  text,
  truth,
} from "@dray/service/config";
import { addressFault } from "@dray/service/http-server";
import { redactUrl } from "dray/http";
import { suites } from "../cipher-suites.ts";

const names = (node: ConfigNode): boolean =>
  node.kind === "map" ? !isEmpty(node.entries.get("cachefile") ?? { ...node, entries: new Map() }) : !isEmpty(node);

const hostFault = (said: string): string | undefined => {
  // Without a scheme it says nothing, there as here, and a warning tells of it.
  if (!said.includes("://")) return undefined;
  const { protocol, username, password, search, hash } = URL.parse(said) ?? {};
  if (protocol !== "http:" && protocol !== "https:")
    return "is no address of a registry; write it with its scheme, as https://registry.example:5000";
  return username !== "" || password !== "" || search !== "" || hash !== ""
    ? `has more than a scheme, a host, a port and a path; write ${redactUrl(said)
        .replace(/[?#].*$/, "")
        .replace(/\/\/[^/]*@/, "//")}`
    : undefined;
};

/** Where a place is no unix socket, it is an address. The rest is looked at once `http.net` is known. */
const debugFault = (said: string): string | undefined => addressFault(said, 5001);

/** What is there already. */
const fixed = ["/livez", "/readyz", "/debug/health", "/debug/health/down", "/debug/health/up"];

const metricsFault = (said: string): string | undefined => {
  if (!said.startsWith("/") || /[?#]/.test(said)) return "is no path; write it from its slash on, as /metrics";
  return fixed.includes(said) ? "is something else already; choose another path, as /metrics" : undefined;
};

export const httpKeys: readonly Key[] = [
  supported(
    "http.addr",
    text,
    "where the registry listens: `HOST:PORT`, `:PORT` for every interface, a path with `http.net: unix`",
    { fallback: "127.0.0.1:5000" },
  ),
  supported("http.net", choice("tcp", "unix"), "what `http.addr` is an address of", { fallback: "tcp" }),
  supported(
    "http.host",
    text,
    "how clients reach the registry, as https://registry.example; makes `Location` absolute",
    { check: hostFault },
  ),
  supported("http.prefix", text, "path before `/v2/`, as /registry/", {
    check: (said) =>
      /^\/[A-Za-z0-9._~/-]*$/.test(said) && !said.includes("//")
        ? undefined
        : "is no path; write it from its slash on, as /registry/",
  }),
  supported(
    "http.relativeurls",
    truth,
    "`false`: `Location` is absolute, from the request's own origin, where `http.host` or a proxy of `dray.trustedproxies` tells how clients reach the registry",
    { fallback: true },
  ),
  needless("http.secret", anything, "uploads are bound to who began them without one", { secret: true }),
  supported(
    "http.draintimeout",
    duration,
    "how long requests may go on after the order to stop; what uploads have sent is kept",
    { fallback: 30_000 },
  ),
  supported(
    "http.headers",
    headers,
    "headers of every answer, in the place of ours. `X-Content-Type-Options: nosniff` is there without being named; `Access-Control-Allow-Origin` lets pages of other origins see the headers of answers, too",
    { reloadable: true },
  ),
  supported("http.tls.certificate", path, "the certificate with its chain, a PEM file; watched", { reloadable: true }),
  supported("http.tls.key", path, "its key, a PEM file; watched", { reloadable: true }),
  supported("http.tls.clientcas", listOf(path), "PEM files of those who sign clients' certificates", {
    reloadable: true,
  }),
  supported(
    "http.tls.clientauth",
    choice(
      "request-client-cert",
      "require-any-client-cert",
      "verify-client-cert-if-given",
      "require-and-verify-client-cert",
    ),
    "`require-and-verify-client-cert`, or `request-client-cert`: a client may show any. The two others are refused",
    {
      fallbackText: "`require-and-verify-client-cert` where there are `clientcas`",
      reloadable: true,
      check: (said) =>
        said.startsWith("require-any") || said.startsWith("verify")
          ? "is not supported; choose require-and-verify-client-cert or request-client-cert"
          : undefined,
    },
  ),
  supported(
    "http.tls.minimumtls",
    choice("tls1.0", "tls1.1", "tls1.2", "tls1.3"),
    "the lowest version of TLS that is spoken",
    {
      fallback: "tls1.2",
      check: (said) => (said < "tls1.2" ? "is older than is safe to speak; write tls1.2 or tls1.3" : undefined),
    },
  ),
  supported(
    "http.tls.ciphersuites",
    listOf(text, (name) =>
      suites.has(name) ? undefined : "names a cipher suite that is not known; write names as Go's, TLS_…",
    ),
    "the cipher suites that are spoken, by Go's names",
    { fallbackText: "the runtime's" },
  ),
  refused(
    "http.tls.letsencrypt",
    anything,
    "Dray fetches no certificates; let certbot or lego do it and name its files in http.tls.certificate and http.tls.key, which are watched",
    names,
  ),
  supported("http.debug.addr", text, "where metrics and health are served, for operators alone; nowhere by default", {
    check: debugFault,
  }),
  supported("http.debug.prometheus.enabled", truth, "metrics for Prometheus at the debug address", { fallback: false }),
  supported("http.debug.prometheus.path", text, "their path", {
    fallback: "/metrics",
    check: metricsFault,
  }),
  needless("http.http2.disabled", truth, "Dray speaks HTTP/1.1; a proxy in front can speak HTTP/2"),
  ignored("http.h2c.enabled", truth, "Dray speaks HTTP/1.1 alone, which every client and proxy does too", isTrue),
];
