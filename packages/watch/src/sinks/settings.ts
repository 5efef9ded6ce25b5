import type { Texts } from "./message.ts";

interface Named {
  /** Names the sink in the file, in the log and for `test-sink`. */
  readonly name: string;
}

/** CloudEvents by HTTP. */
export interface WebhookSettings extends Named {
  readonly type: "webhook";
  readonly url: string;
  /** Signs each request, as Standard Webhooks does: text, or `whsec_` with base64. */
  readonly secret?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** `source` of each event. Default `/dray/watch`. */
  readonly source?: string | undefined;
}

/** An incoming webhook of Slack. */
export interface SlackSettings extends Named, Texts {
  readonly type: "slack";
  readonly url: string;
}

/** A workflow of Teams that takes a webhook request. */
export interface TeamsSettings extends Named, Texts {
  readonly type: "teams";
  readonly url: string;
}

/** A webhook of a channel of Discord. */
export interface DiscordSettings extends Named, Texts {
  readonly type: "discord";
  readonly url: string;
}

/** A bot of Telegram. */
export interface TelegramSettings extends Named, Texts {
  readonly type: "telegram";
  /** Default `https://api.telegram.org`. */
  readonly url?: string | undefined;
  readonly token: string;
  /** Id of a chat, or `@channel`. */
  readonly chat: string;
  /** Id of a topic in it. */
  readonly thread?: number | undefined;
}

/** A topic of ntfy. */
export interface NtfySettings extends Named, Texts {
  readonly type: "ntfy";
  /** Default `https://ntfy.sh`. */
  readonly url?: string | undefined;
  readonly topic: string;
  readonly token?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** 1 to 5. Default: the server's, 3. */
  readonly priority?: number | undefined;
}

/** An application of Gotify. */
export interface GotifySettings extends Named, Texts {
  readonly type: "gotify";
  readonly url: string;
  readonly token: string;
  /** Default: the application's. */
  readonly priority?: number | undefined;
}

/** A room of Matrix. */
export interface MatrixSettings extends Named, Texts {
  readonly type: "matrix";
  /** The home server. */
  readonly url: string;
  readonly token: string;
  /** `!id:server` */
  readonly room: string;
}

/** An application of Pushover. */
export interface PushoverSettings extends Named, Texts {
  readonly type: "pushover";
  /** Default `https://api.pushover.net`. */
  readonly url?: string | undefined;
  readonly token: string;
  /** Key of a user or group. */
  readonly user: string;
  readonly device?: string | undefined;
  /** -2 to 1. */
  readonly priority?: number | undefined;
}

/** Apprise behind its own API, which reaches a hundred other services. */
export interface AppriseSettings extends Named, Texts {
  readonly type: "apprise";
  readonly url: string;
  /** A configuration that is kept there. */
  readonly key?: string | undefined;
  /** Or services named here. */
  readonly urls?: readonly string[] | undefined;
  /** Which of the services of the configuration. */
  readonly tag?: string | undefined;
}

/** A broker of MQTT, and Home Assistant behind it. */
export interface MqttSettings extends Named {
  readonly type: "mqtt";
  /** `mqtt://host:1883`, `mqtts://…`, `ws://…`, `wss://…`. */
  readonly url: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** What each topic begins with. Default `dray/watch`. */
  readonly topic?: string | undefined;
  /** Prefix by which Home Assistant finds the repositories as event entities, mostly `homeassistant`. Default: none. */
  readonly discovery?: string | undefined;
}

/** Mail by SMTP. */
export interface EmailSettings extends Named, Texts {
  readonly type: "email";
  /** `smtp://host:587`, with STARTTLS where it is offered, or `smtps://host:465`. */
  readonly url: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly from: string;
  readonly to: readonly string[];
}

/** A program of this machine. */
export interface CommandSettings extends Named {
  readonly type: "command";
  /** The program and its arguments, as they are: no shell is between. */
  readonly command: readonly string[];
}

/** A sink as it is configured. */
export type SinkSettings =
  | WebhookSettings
  | SlackSettings
  | TeamsSettings
  | DiscordSettings
  | TelegramSettings
  | NtfySettings
  | GotifySettings
  | MatrixSettings
  | PushoverSettings
  | AppriseSettings
  | MqttSettings
  | EmailSettings
  | CommandSettings;

/** The kinds of sinks whose events people read, by HTTP. */
export type ChatSettings = Exclude<SinkSettings, WebhookSettings | MqttSettings | EmailSettings | CommandSettings>;
