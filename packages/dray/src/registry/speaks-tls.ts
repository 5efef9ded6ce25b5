import { connect } from "node:net";

/**
 * The shortest beginning of a conversation in TLS: a ClientHello for version 1.2 without extensions. A server that speaks TLS
 * answers it with a record, be it an alert; one that speaks plain http answers `HTTP/1.1 400`.
 * @see https://www.rfc-editor.org/rfc/rfc5246#section-7.4.1.2
 */
const clientHello = (): Uint8Array => {
  const suites = [0xc0, 0x2f, 0xc0, 0x30, 0xc0, 0x2b, 0xc0, 0x2c, 0x00, 0x9c];
  const random = Array.from({ length: 32 }, (_, i) => i);
  const body = [0x03, 0x03, ...random, 0, 0, suites.length, ...suites, 1, 0];
  const handshake = [0x01, 0, 0, body.length, ...body];
  return Uint8Array.from([0x16, 0x03, 0x01, 0, handshake.length, ...handshake]);
};

/** First bytes of TLS records: an alert, a handshake. */
const records = new Set([0x15, 0x16]);

/**
 * Whether a server speaks TLS: `undefined` where it does not say within `timeout` milliseconds, or cannot be reached. Costs one
 * round trip and no certificates, which take longer to load than a server nearby takes to answer.
 */
export const speaksTls = (
  host: string,
  port: number,
  timeout: number,
  signal: AbortSignal,
): Promise<boolean | undefined> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    const say = (answer: boolean | undefined): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", give);
      socket.destroy();
      resolve(answer);
    };
    const give = (): void => say(undefined);
    const timer = setTimeout(give, timeout);
    signal.addEventListener("abort", give, { once: true });
    socket.once("connect", () => socket.write(clientHello()));
    socket.once("data", (data) => say(records.has(data[0] ?? 0)));
    socket.once("error", give);
    socket.once("close", give);
    if (signal.aborted) give();
  });
