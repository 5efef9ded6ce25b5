import { Credentials, type Keychain } from "dray/auth";
import { throwIfAborted } from "dray/errors";
import { SingleFlight } from "dray/internal/async";
import { refuseNumber } from "dray/internal/numbers";
import { faultIn, within } from "../asking/index.ts";
import type { KubernetesOptions } from "./options.ts";
import { pullSecretCredentials } from "./pull-secrets.ts";

/** Milliseconds for which secrets are believed, for which an API that fails is left alone, and for which what was refused is not read again. */
const [believed, leftAlone, youngest] = [5 * 60_000, 60_000, 10_000];

interface Known {
  readonly credentials: Credentials;
  /** Why nothing was read. */
  readonly fault?: string | undefined;
  readonly at: number;
}

const source = "pull secrets";

/**
 * Credentials of the pull secrets that a pod or a service account of Kubernetes has, for images as a kubelet matches them (`fromPullSecrets`). They
 * are read by the official client at the first question, once however many wait, and again when they are five minutes old or refused. A secret or
 * account that is not there or may not be read is left out, and named; an API that cannot be asked is said to `onWarning`, left alone for a minute, and
 * what it said before counts.
 * @example connect("quay.io", { credentials: chain(kubernetes({ namespace: "team", serviceAccount: "builder" }), dockerConfig()) })
 */
export const kubernetes = (options: KubernetesOptions = {}): Keychain => {
  const { timeout = 15_000, onWarning, now = Date.now } = options;
  refuseNumber("timeout", timeout, { fractions: true });
  const flights = new SingleFlight<Known>();
  const warned = new Set<string>();
  const warn = (message: string): void => {
    if (warned.has(message)) return;
    warned.add(message);
    onWarning?.(message);
  };
  let known: Known | undefined;

  const read = async (signal: AbortSignal): Promise<Known> => {
    try {
      const secrets = await within(timeout, signal, async (either) =>
        (await import("./api.ts")).readPullSecrets(options, warn, either),
      );
      return { credentials: pullSecretCredentials(secrets, { onWarning: warn }), at: now() };
    } catch (error) {
      throwIfAborted(signal);
      const fault = faultIn(error);
      warn(`${source}: ${fault}; going on ${known === undefined ? "without them" : "with those from before"}`);
      return { credentials: known?.credentials ?? new Credentials(), fault, at: now() };
    }
  };
  const isOver = ({ fault, at }: Known, fresh: boolean): boolean =>
    // Also where the clock was set back.
    now() < at || now() - at >= (fault !== undefined ? leftAlone : fresh ? youngest : believed);

  return async (target, asked = {}) => {
    if (known === undefined || isOver(known, asked.fresh === true))
      known = await flights.run("", (flight) => read(flight.signal), asked.signal);
    if (known.fault !== undefined) asked.onTried?.(source, known.fault);
    return known.credentials.keychain(target, asked);
  };
};
