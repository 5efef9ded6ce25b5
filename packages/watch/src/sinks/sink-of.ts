import { isDrayError, restated } from "dray/errors";
import { eventOf, type Refusal, type Sink } from "../events/index.ts";
import { chatSink } from "./chat-sink.ts";
import { commandSink } from "./command.ts";
import { defaultContext, type SinkContext } from "./context.ts";
import { emailSink } from "./email.ts";
import { mqttSink } from "./mqtt.ts";
import type { SinkSettings } from "./settings.ts";
import { webhookSink } from "./webhook.ts";

/**
 * A sink from its settings. Nothing is opened before the first event; the libraries of brokers and of mail are loaded then.
 * @throws DrayError `CONFIG_INVALID` for a template that cannot be used
 * @example const sink = await sinkOf({ type: "ntfy", name: "phone", topic: "my-images" });
 */
export const sinkOf = async (settings: SinkSettings, given: Partial<SinkContext> = {}): Promise<Sink> => {
  try {
    return await made(settings, { ...defaultContext, ...given });
  } catch (error) {
    throw isDrayError(error) ? restated(error, error.code, `sink ${settings.name}: ${error.message}`) : error;
  }
};

const made = async (settings: SinkSettings, context: SinkContext): Promise<Sink> => {
  switch (settings.type) {
    case "webhook":
      return webhookSink(settings, context);
    case "mqtt":
      return mqttSink(settings);
    case "email":
      return emailSink(settings);
    case "command":
      return commandSink(settings, context);
    default:
      return chatSink(settings, context);
  }
};

/**
 * Sends an event that never happened, so that a person sees whether a sink is set up well: `registry.example/dray/test:hello` was added.
 * @returns why the sink will not take it, if so
 * @throws DrayError what went wrong on the way
 */
export const testSink = (sink: Sink, signal: AbortSignal, now: number = Date.now()): Promise<Refusal | undefined> => {
  const time = new Date(now).toISOString();
  return sink.send(
    [eventOf({ type: "tag.added", repository: "registry.example/dray/test", tag: "hello", time })],
    signal,
  );
};
