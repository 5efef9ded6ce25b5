import { createHmac } from "node:crypto";
import type { HeaderPairs } from "dray/http";
import { cloudEventOf, cloudEventsType, cloudEventType, type Sink, type WatchEvent } from "../events/index.ts";
import type { SinkContext } from "./context.ts";
import { type Poster, poster, secretsIn } from "./post.ts";
import type { WebhookSettings } from "./settings.ts";

/**
 * Headers of Standard Webhooks: whoever has the secret knows that the body is ours, and by the time that nobody says it again.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const signature = (secret: string, id: string, seconds: number, body: string): HeaderPairs => {
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice("whsec_".length), "base64") : Buffer.from(secret);
  const signed = createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64");
  return [
    ["webhook-id", id],
    ["webhook-timestamp", String(seconds)],
    ["webhook-signature", `v1,${signed}`],
  ];
};

/** Sends CloudEvents in structured mode, several as a batch, signed where there is a secret. */
export const webhookSink = (settings: WebhookSettings, context: SinkContext): Sink => {
  const url = new URL(settings.url);
  const { secret, headers = {}, source } = settings;
  // Of `Bearer …` what is behind it as well.
  const said = Object.values(headers).flatMap((value) => [value, ...value.split(" ").slice(1)]);
  const secrets = [secret ?? "", ...said, ...secretsIn(url)];
  const wire: Poster = poster({ ...context.connection, secrets });
  return {
    name: settings.name,
    send: (events, signal) => {
      const bodies = events.map((event) => cloudEventOf(event, source));
      const body = JSON.stringify(bodies.length === 1 ? bodies[0] : bodies);
      const type = bodies.length === 1 ? cloudEventType : cloudEventsType;
      const pairs: HeaderPairs = [
        ["Content-Type", `${type}; charset=UTF-8`],
        ...Object.entries(headers),
        ...(secret === undefined ? [] : signature(secret, idOf(events), Math.floor(context.clock.now() / 1000), body)),
      ];
      return wire.send({ url, headers: pairs, body }, signal);
    },
    close: () => wire.close(),
  };
};

/** Names what is sent at once: one event by its own id, several by that of the first and their number. */
export const idOf = (events: readonly WatchEvent[]): string =>
  events.length === 1 ? (events[0]?.id ?? "") : `${events[0]?.id ?? "none"}-${events.length}`;
