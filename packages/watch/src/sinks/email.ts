import { DrayError, reasonOf } from "dray/errors";
import type { Transporter } from "nodemailer";
import type { Sink } from "../events/index.ts";
import { messages } from "./message.ts";
import { hiding } from "./post.ts";
import type { EmailSettings } from "./settings.ts";
import { idOf } from "./webhook.ts";

/** What nodemailer says of the message itself or of who is to have it. */
const aboutMessage: ReadonlySet<string> = new Set(["EENVELOPE", "EMESSAGE"]);

/**
 * Sends mail by SMTP. The id of what is sent is in `Message-ID`, so that a mail that comes twice is one. A server that refuses it for good (5xx) will not get
 * it again; everything else is tried later.
 */
export const emailSink = async (settings: EmailSettings): Promise<Sink> => {
  const { name, url, user, password, from, to } = settings;
  const messageOf = await messages(settings);
  const { protocol, hostname, port } = new URL(url);
  const hide = hiding([password ?? "", Buffer.from(`\0${user ?? ""}\0${password ?? ""}`).toString("base64")]);
  let transport: Transporter | undefined;
  return {
    name,
    send: async (events, signal) => {
      // Loaded with the first mail.
      const { createTransport } = (await import("nodemailer")).default;
      const secure = protocol === "smtps:";
      transport ??= createTransport({
        host: hostname.replace(/^\[(.*)\]$/, "$1"),
        port: Number(port) || (secure ? 465 : 587),
        secure,
        // A password goes over TLS or not at all, but for a server of this machine.
        requireTLS: password !== undefined && !secure && !/^(?:localhost|127\.|\[::1\])/.test(hostname),
        ...(user === undefined ? {} : { auth: { user, pass: password ?? "" } }),
        connectionTimeout: 20_000,
        greetingTimeout: 20_000,
        socketTimeout: 30_000,
      });
      const { title, text } = messageOf(events);
      const stop = (): void => transport?.close();
      signal.addEventListener("abort", stop, { once: true });
      try {
        await transport.sendMail({
          from,
          to: [...to],
          subject: title,
          text,
          messageId: `<${idOf(events)}@dray.watch>`,
          headers: { "Auto-Submitted": "auto-generated" },
        });
        return undefined;
      } catch (error) {
        const { responseCode = 0, code = "" } = error as { responseCode?: number; code?: string };
        const message = hide(`${hostname}: ${reasonOf(error)}`);
        if (responseCode >= 500 && aboutMessage.has(code)) return { refused: message };
        throw new DrayError(code === "EAUTH" ? "UNAUTHORIZED" : "NETWORK", message, { retryable: true });
      } finally {
        signal.removeEventListener("abort", stop);
      }
    },
    close: async () => transport?.close(),
  };
};
