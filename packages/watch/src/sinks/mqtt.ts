import { createHash } from "node:crypto";
import { DrayError, reasonOf } from "dray/errors";
import type { MqttClient } from "mqtt";
import { eventTypes, type Sink, type WatchEvent } from "../events/index.ts";
import { hiding } from "./post.ts";
import type { MqttSettings } from "./settings.ts";

/**
 * Publishes each event below a topic of its repository, acknowledged by the broker (quality of service 1). Home Assistant gets each repository as an event
 * entity: its description is retained, the events are not, or it would tell old ones again.
 * @see https://www.home-assistant.io/integrations/event.mqtt/
 */
export const mqttSink = (settings: MqttSettings): Sink => {
  const { name, url, user, password, topic = "dray/watch", discovery } = settings;
  const hide = hiding([password ?? "", new URL(url).password]);
  let client: MqttClient | undefined;
  let described = new Set<string>();
  /** Rejects when the connection ends: what waits for an acknowledgement then would wait for ever. */
  let gone: Promise<never> | undefined;

  const connected = async (signal: AbortSignal): Promise<MqttClient> => {
    if (client?.connected === true) return client;
    client?.end(true);
    // Loaded with the first event for a broker.
    const { connect } = (await import("mqtt")).default;
    const opened = connect(url, {
      ...(user === undefined ? {} : { username: user }),
      ...(password === undefined ? {} : { password }),
      reconnectPeriod: 0,
      connectTimeout: 20_000,
    });
    client = opened;
    await new Promise<void>((resolve, reject) => {
      opened.once("connect", () => resolve());
      opened.once("error", reject);
      opened.once("close", () => reject(new Error("the broker closed the connection")));
      signal.addEventListener("abort", () => reject(new DrayError("ABORTED", "the time was over")), { once: true });
    });
    // What goes wrong between two events is found with the next one.
    opened.on("error", () => {});
    gone = new Promise((_resolve, reject) => {
      opened.once("close", () => reject(new Error("the broker closed the connection")));
    });
    gone.catch(() => {});
    described = new Set();
    return opened;
  };

  const acknowledged = (published: Promise<unknown>): Promise<unknown> =>
    Promise.race(gone === undefined ? [published] : [published, gone]);

  const publish = async (event: WatchEvent, signal: AbortSignal): Promise<void> => {
    const wire = await connected(signal);
    const { repository, type, ...rest } = event;
    const state = `${topic}/${repository}`;
    if (discovery !== undefined && !described.has(repository)) {
      const id = `dray_${createHash("sha256").update(repository).digest("hex").slice(0, 16)}`;
      await acknowledged(
        wire.publishAsync(`${discovery}/event/${id}/config`, JSON.stringify(entityOf(repository, state, id)), {
          qos: 1,
          retain: true,
        }),
      );
      described.add(repository);
    }
    await acknowledged(wire.publishAsync(state, JSON.stringify({ event_type: type, repository, ...rest }), { qos: 1 }));
  };

  return {
    name,
    send: async (events, signal) => {
      const cut = new Promise<never>((_resolve, reject) => {
        const stop = (): void => reject(new DrayError("TIMEOUT", "the broker did not answer in time"));
        if (signal.aborted) stop();
        signal.addEventListener("abort", stop, { once: true });
      });
      try {
        for (const event of events) await Promise.race([publish(event, signal), cut]);
      } catch (error) {
        client?.end(true);
        client = undefined;
        throw new DrayError("NETWORK", hide(`${new URL(url).host}: ${reasonOf(error)}`), { retryable: true });
      }
      return undefined;
    },
    close: async () => {
      if (client?.connected === true) await client.endAsync().catch(() => {});
      else client?.end(true);
    },
  };
};

/** What Home Assistant wants to know of an event entity. */
const entityOf = (repository: string, state: string, id: string): object => ({
  name: repository,
  unique_id: id,
  state_topic: state,
  event_types: eventTypes,
  icon: "mdi:package-variant",
  device: { identifiers: ["dray_watch"], name: "Dray watch" },
  origin: { name: "dray" },
});
