import type { HeaderPairs } from "dray/http";
import { cut, jsonBytes, type Measure, type Message, units, utf8 } from "./message.ts";
import { basic } from "./post.ts";
import type { ChatSettings } from "./settings.ts";

/** What is posted where; JSON. `id` names what is sent, so that a service that can will take it once. */
export interface ChatRequest {
  readonly method?: "POST" | "PUT";
  readonly url: URL;
  readonly headers?: HeaderPairs;
  readonly json: object;
}

/** How a service wants a message. */
type Format<Settings> = (settings: Settings, message: Message, id: string) => ChatRequest;

type Formats = { readonly [Type in ChatSettings["type"]]: Format<Extract<ChatSettings, { type: Type }>> };

/** An address below a base that may have a path of its own. */
const below = (base: string, path: string): URL => new URL(`${base.replace(/\/+$/, "")}${path}`);

/** https://docs.slack.dev/messaging/formatting-message-text: these three are written as entities, and nothing else. */
const slackEntities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
const slackSize: Measure = (character) => (slackEntities[character] ?? character).length;
const slackText = (text: string): string =>
  cut(text, 40_000, slackSize).replace(/[&<>]/g, (character) => slackEntities[character] ?? character);

/** Each service's own form of a message, its limits kept. */
export const formats: Formats = {
  // https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
  slack: ({ url }, { text }) => ({ url: new URL(url), json: { text: slackText(text) } }),

  // https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using: 28 KB with all that is around
  teams: ({ url }, { title, text }) => ({
    url: new URL(url),
    json: {
      type: "message",
      attachments: [
        {
          contentType: "application/vnd.microsoft.card.adaptive",
          contentUrl: null,
          content: {
            $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
            type: "AdaptiveCard",
            version: "1.4",
            body: [
              { type: "TextBlock", text: cut(title, 1000, jsonBytes), weight: "Bolder", wrap: true },
              // A card knows Markdown: there one line end is none.
              { type: "TextBlock", text: cut(text.replaceAll("\n", "\n\n"), 24_000, jsonBytes), wrap: true },
            ],
          },
        },
      ],
    },
  }),

  // https://docs.discord.com/developers/resources/webhook#execute-webhook
  discord: ({ url }, { text }) => {
    const to = new URL(url);
    // Without it a message that could not be made is answered with 204 all the same.
    to.searchParams.set("wait", "true");
    return { url: to, json: { content: cut(text, 2000), allowed_mentions: { parse: [] } } };
  },

  // https://core.telegram.org/bots/api#sendmessage
  telegram: ({ url = "https://api.telegram.org", token, chat, thread }, { text }) => ({
    url: below(url, `/bot${token}/sendMessage`),
    json: {
      chat_id: chat,
      ...(thread === undefined ? {} : { message_thread_id: thread }),
      text: cut(text, 4096),
      link_preview_options: { is_disabled: true },
    },
  }),

  // https://docs.ntfy.sh/publish/#publish-as-json: more than 4096 bytes would become a file
  ntfy: ({ url = "https://ntfy.sh", topic, token, user, password = "", priority }, { title, text }) => ({
    url: below(url, "/"),
    headers: ntfyAuthorization(token, user, password),
    json: {
      topic,
      title: cut(title, 250, utf8),
      message: cut(text, 4096, utf8),
      ...(priority === undefined ? {} : { priority }),
    },
  }),

  // https://gotify.net/api-docs#/message/createMessage
  gotify: ({ url, token, priority }, { title, text }) => ({
    url: below(url, "/message"),
    headers: [["X-Gotify-Key", token]],
    json: { title, message: text, ...(priority === undefined ? {} : { priority }) },
  }),

  // https://spec.matrix.org/v1.15/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid: 65,536 bytes with all that is around
  matrix: ({ url, token, room }, { text }, id) => ({
    method: "PUT",
    url: below(
      url,
      `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/${encodeURIComponent(id)}`,
    ),
    headers: [["Authorization", `Bearer ${token}`]],
    json: { msgtype: "m.text", body: cut(text, 60_000, jsonBytes) },
  }),

  // https://pushover.net/api#limits
  pushover: ({ url = "https://api.pushover.net", token, user, device, priority }, { title, text }) => ({
    url: below(url, "/1/messages.json"),
    json: {
      token,
      user,
      title: cut(title, 250, units),
      message: cut(text, 1024, units),
      ...(device === undefined ? {} : { device }),
      ...(priority === undefined ? {} : { priority }),
    },
  }),

  // https://github.com/caronc/apprise-api#api-details
  apprise: ({ url, key, urls, tag }, { title, text }) => ({
    url: below(url, key === undefined ? "/notify" : `/notify/${encodeURIComponent(key)}`),
    json: {
      title,
      body: text,
      type: "info",
      format: "text",
      ...(urls === undefined ? {} : { urls: urls.join(",") }),
      ...(tag === undefined ? {} : { tag }),
    },
  }),
};

const ntfyAuthorization = (token: string | undefined, user: string | undefined, password: string): HeaderPairs => {
  if (token !== undefined) return [["Authorization", `Bearer ${token}`]];
  if (user === undefined) return [];
  return [["Authorization", `Basic ${basic(user, password)}`]];
};
