import type { Sink } from "../events/index.ts";
import { type ChatRequest, formats } from "./chats.ts";
import type { SinkContext } from "./context.ts";
import { type Message, messages } from "./message.ts";
import { basic, poster, secretsIn } from "./post.ts";
import type { ChatSettings } from "./settings.ts";
import { idOf } from "./webhook.ts";

/** What lets one in, of each kind: never said. */
const secretsOf = (settings: ChatSettings): string[] => {
  const address = settings.url === undefined ? [] : secretsIn(new URL(settings.url));
  switch (settings.type) {
    case "telegram":
    case "gotify":
    case "matrix":
      return [...address, settings.token];
    case "ntfy":
      return [
        ...address,
        settings.token ?? "",
        settings.password ?? "",
        basic(settings.user ?? "", settings.password ?? ""),
      ];
    case "pushover":
      return [...address, settings.token, settings.user];
    case "apprise":
      return [...address, settings.key ?? "", ...(settings.urls ?? []).flatMap(wordsOf)];
    default:
      return address;
  }
};

/** A sink whose events people read, by HTTP. */
export const chatSink = async (settings: ChatSettings, context: SinkContext): Promise<Sink> => {
  const messageOf = await messages(settings);
  const format = formats[settings.type] as (settings: ChatSettings, message: Message, id: string) => ChatRequest;
  // Apprise says so of a key that it does not know, and has told nobody.
  const failure = (status: number): string | undefined =>
    settings.type === "apprise" && status === 204 ? "it has no configuration of that key" : undefined;
  const wire = poster({ ...context.connection, secrets: secretsOf(settings), failure });
  return {
    name: settings.name,
    send: (events, signal) => {
      const { json, headers = [], ...request } = format(settings, messageOf(events), idOf(events));
      const type = ["Content-Type", "application/json; charset=utf-8"] as const;
      return wire.send({ ...request, headers: [type, ...headers], body: JSON.stringify(json) }, signal);
    },
    close: () => wire.close(),
  };
};

/** An address of Apprise with the parts of it that may be passwords. */
const wordsOf = (address: string): string[] => [
  address,
  ...address.split(/[/:@?&=]+/).filter((word) => word.length >= 8),
];
