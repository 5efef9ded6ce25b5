import {
  choice,
  count,
  document,
  fields,
  listOf,
  type Members,
  namedOf,
  positive,
  recordOf,
  text,
  type ValueType,
  variantOf,
} from "@dray/service/config";
import { eventTypes } from "../events/index.ts";
import { type WebhookType, webhookVendors } from "../webhooks/index.ts";
import { secret } from "./secret.ts";

const needed = (type: ValueType) => ({ type, required: true }) as const;

const quiet = recordOf("time of quiet", {
  from: needed(text),
  to: needed(text),
  timezone: { type: text },
  afterwards: { type: choice("send", "digest") },
});

/** What each sink may say besides what is its own. */
const common: Members = {
  events: { type: listOf(choice(...eventTypes)) },
  include: { type: listOf(text) },
  exclude: { type: listOf(text) },
  quiet: { type: quiet },
};
const texts: Members = { title: { type: text }, text: { type: text } };

/** A sink of each kind, by its type. */
export const sink: ValueType<Readonly<Record<string, unknown>>> = variantOf("sink", "type", {
  webhook: { url: needed(secret), secret: { type: secret }, headers: { type: fields }, ...common },
  slack: { url: needed(secret), ...texts, ...common },
  teams: { url: needed(secret), ...texts, ...common },
  discord: { url: needed(secret), ...texts, ...common },
  telegram: {
    url: { type: secret },
    token: needed(secret),
    chat: needed(text),
    thread: { type: positive },
    ...texts,
    ...common,
  },
  ntfy: {
    url: { type: secret },
    topic: needed(text),
    token: { type: secret },
    user: { type: text },
    password: { type: secret },
    priority: { type: positive },
    ...texts,
    ...common,
  },
  gotify: { url: needed(secret), token: needed(secret), priority: { type: count }, ...texts, ...common },
  matrix: { url: needed(secret), token: needed(secret), room: needed(text), ...texts, ...common },
  pushover: {
    url: { type: secret },
    token: needed(secret),
    user: needed(secret),
    device: { type: text },
    priority: { type: count },
    ...texts,
    ...common,
  },
  apprise: {
    url: needed(secret),
    key: { type: secret },
    urls: { type: listOf(text) },
    tag: { type: text },
    ...texts,
    ...common,
  },
  mqtt: {
    url: needed(secret),
    user: { type: text },
    password: { type: secret },
    topic: { type: text },
    discovery: { type: text },
    ...common,
  },
  email: {
    url: needed(secret),
    user: { type: text },
    password: { type: secret },
    from: needed(text),
    to: needed(listOf(text)),
    ...texts,
    ...common,
  },
  command: { command: needed(listOf(text)), ...common },
});

export const sinks: ValueType<ReadonlyMap<string, Readonly<Record<string, unknown>>>> = namedOf(sink);

const webhook = variantOf(
  "webhook",
  "type",
  Object.fromEntries(
    Object.entries(webhookVendors).map(([type, { proof }]): [string, Members] => {
      const registry = { registry: { type: text } };
      if (proof === "google") return [type, { account: needed(text), audience: needed(text), ...registry }];
      return [type, { secret: needed(secret), ...(proof === "header" ? { header: { type: text } } : {}), ...registry }];
    }),
  ) as Record<WebhookType, Members>,
);

export const webhooks: ValueType<ReadonlyMap<string, Readonly<Record<string, unknown>>>> = namedOf(webhook);

export const policies: ValueType<ReadonlyMap<string, Readonly<Record<string, unknown>>>> = namedOf(
  recordOf("policy", { repositories: needed(listOf(text)), policy: needed(document) }),
);

/** A share from 0 to 1, written as `30%`. */
export const percent: ValueType<number> = {
  name: "share",
  schema: { type: "string", pattern: "^\\d{1,3} ?%$" },
  read: (node) => {
    const said = text.read(node);
    return said === undefined ? undefined : /^\d{1,3} ?%$/.test(said) ? Number.parseInt(said, 10) / 100 : Number.NaN;
  },
};
