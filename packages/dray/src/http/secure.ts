/**
 * All that speaks TLS, behind one door that opens when the first such connection is made: it takes as long to load as a registry nearby takes to
 * answer, and plain http has no use for it.
 */
export { https } from "./node-https.ts";
export { SocksTlsAgent } from "./socks-tls.ts";
export { secureContext, systemAuthorities } from "./tls-settings.ts";
export { TunnelAgent } from "./tunnel.ts";
