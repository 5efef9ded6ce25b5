import dockerRegistry from "./docker-registry.json" with { type: "json" };
import registry from "./registry.json" with { type: "json" };

/** What was recorded, and of which version. */
export interface Recording {
  readonly version: string;
  readonly answers: Readonly<Record<string, Answer>>;
}

/** An answer as it came over the wire; `{name}` stands for what differs from request to request. */
export interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  /** The connection ended before as much had come as was announced. */
  readonly cut?: boolean;
}

export type Values = Readonly<Record<string, string | number>>;

export const peers = ["docker-registry", "registry"] as const;
/** `docker-registry` is distribution 2.8 as Debian has it, `registry` is distribution 3. */
export type Peer = (typeof peers)[number];

const recordings: Readonly<Record<Peer, { version: string; answers: unknown }>> = {
  "docker-registry": dockerRegistry,
  registry,
};

export const recordingOf = (peer: Peer): Recording => recordings[peer] as Recording;

/** Puts values where the names are. @throws Error for a name without a value: the recording says more than is known here */
export const fillIn = (text: string, values: Values): string =>
  text.replace(/\{([a-z]+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`nothing stands for ${whole} in ${text}`);
    return String(value);
  });

/** The other way: names where the values were, the longest first. */
export const takeOut = (text: string, values: Values): string =>
  Object.entries(values)
    .filter(([, value]) => value !== "")
    .sort(([, a], [, b]) => String(b).length - String(a).length)
    .reduce((left, [name, value]) => left.replaceAll(String(value), `{${name}}`), text);
