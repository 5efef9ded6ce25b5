import type { ListenOptions } from "@dray/service/http-server";
import type { Log } from "@dray/service/observe";

type OnHandshake = NonNullable<ListenOptions["onHandshake"]>;

/** Milliseconds between two warnings of one kind: what asks wrongly asks again and again, and so do health checks that only connect. */
const quiet = 3_600_000;

const https = "clients have to ask by https://";

/**
 * Tells of connections that never came so far as a request. Who spoke http to the port of https is warned of, at once and then once an
 * hour with how many there were; each one stands in the log at `debug`.
 */
export const failedHandshakes = (log: Log, now: () => number = Date.now): OnHandshake => {
  const warnings = { http: newWarning(), unknown: newWarning() };
  return ({ peer, reason, spokeHttp }) => {
    log(
      "debug",
      spokeHttp ? "http was spoken to the port of https" : `a TLS handshake failed: ${reason ?? "no reason is told"}`,
      {
        peer,
      },
    );
    // Where the reason is known and another, nobody here can mend it.
    if (!spokeHttp && reason !== undefined) return;
    const warning = spokeHttp ? warnings.http : warnings.unknown;
    warning.count++;
    if (now() < warning.next) return;
    const count = warning.count === 1 ? "a connection" : `${warning.count} connections`;
    const message = spokeHttp
      ? `${count} spoke http to the port of https and got 400 with a sentence: ${https}`
      : `${count} ended before TLS was spoken. Whoever speaks http to this port sees that: ${https}. So does a client that does not trust the certificate, which needs its authority, and a health check that only connects: let it ask for /livez by https`;
    warning.count = 0;
    warning.next = now() + quiet;
    log("warn", message, { peer });
  };
};

const newWarning = (): { count: number; next: number } => ({ count: 0, next: Number.NEGATIVE_INFINITY });
