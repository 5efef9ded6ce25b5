import { HttpError } from "@dray/service/response";
import { type DeliveryState, deliveryStates, type EventType, eventTypes } from "../events/index.ts";

/** What a caller asks for, after the question mark: each name at most once, and none that the endpoint does not know. */
export class Query {
  readonly #values: URLSearchParams;

  constructor(target: string, known: readonly string[]) {
    const at = target.indexOf("?");
    this.#values = new URLSearchParams(at < 0 ? "" : target.slice(at + 1));
    for (const name of new Set(this.#values.keys())) {
      if (!known.includes(name))
        throw invalid(
          `there is no parameter ${name} here${known.length === 0 ? "" : `; there are ${known.join(", ")}`}`,
        );
      if (this.#values.getAll(name).length > 1) throw invalid(`${name} is said twice`);
    }
  }

  text(name: string): string | undefined {
    return this.#values.get(name) || undefined;
  }

  /** A whole number from 1 on, no more than `most`. */
  count(name: string, fallback: number, most: number): number {
    const said = this.text(name);
    if (said === undefined) return fallback;
    const value = Number(said);
    if (!/^\d+$/.test(said) || value < 1 || value > most) throw invalid(`${name} is a number from 1 to ${most}`);
    return value;
  }

  type(): EventType | undefined {
    return oneOf("type", this.text("type"), eventTypes);
  }

  status(): DeliveryState | undefined {
    return oneOf("status", this.text("status"), deliveryStates);
  }
}

export const invalid = (message: string): HttpError => new HttpError(400, "INVALID", message);

const oneOf = <T extends string>(name: string, said: string | undefined, words: readonly T[]): T | undefined => {
  if (said === undefined) return undefined;
  const word = words.find((each) => each === said);
  if (word === undefined) throw invalid(`${name} is one of ${words.join(", ")}`);
  return word;
};
