import { DrayError } from "../errors.ts";
import { isObject } from "../oci/index.ts";

/** One line of what an engine says while it works. */
export interface EngineMessage {
  /** What it does: `Pulling fs layer`, `Pushed`. */
  readonly status?: string | undefined;
  /** Text for people, line end and all: `Loaded image: app:1`. */
  readonly stream?: string | undefined;
  /** Which layer it is about. */
  readonly id?: string | undefined;
  /** Bytes that are through, and of how many. */
  readonly progress?: { readonly current: number; readonly total?: number | undefined } | undefined;
  /** What came of it, such as the digest of a push. */
  readonly aux?: Readonly<Record<string, unknown>> | undefined;
}

/** Characters of one line at most; the longest lines are a few hundred. */
const longestLine = 1024 * 1024;

/**
 * Reads what an engine says, to the end. It says 200 before it begins and tells of a failure in the midst: that is an error here.
 * @throws DrayError `ENGINE` with the engine's words, `LIMIT_EXCEEDED`, and what reading throws
 */
export async function* engineMessages(chunks: AsyncIterable<Uint8Array>, doing: string): AsyncGenerator<EngineMessage> {
  for await (const line of linesOf(chunks, doing)) {
    const message = parsed(line, doing);
    const fault = faultIn(message);
    if (fault !== undefined) throw new DrayError("ENGINE", `${doing}: the engine says: ${fault}`);
    yield messageOf(message);
  }
}

async function* linesOf(chunks: AsyncIterable<Uint8Array>, doing: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > longestLine)
      throw new DrayError("LIMIT_EXCEEDED", `${doing}: the engine said a line of more than ${longestLine} characters`);
    yield* lines.filter((line) => line.trim() !== "");
  }
  if (rest.trim() !== "") yield rest;
}

const parsed = (line: string, doing: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(line);
    if (isObject(value)) return value;
  } catch {
    // Told below.
  }
  throw new DrayError("ENGINE", `${doing}: the engine said something that is no message: ${line.slice(0, 200)}`);
};

const faultIn = ({ errorDetail, error }: Readonly<Record<string, unknown>>): string | undefined => {
  const detail = isObject(errorDetail) ? errorDetail["message"] : undefined;
  return [detail, error].find((text): text is string => typeof text === "string" && text !== "");
};

const messageOf = (line: Readonly<Record<string, unknown>>): EngineMessage => {
  const text = (name: string): string | undefined => (typeof line[name] === "string" ? line[name] : undefined);
  const { progressDetail: detail, aux } = line;
  const [current, total] = isObject(detail) ? [detail["current"], detail["total"]] : [];
  return {
    status: text("status"),
    stream: text("stream"),
    id: text("id"),
    progress:
      typeof current === "number" ? { current, total: typeof total === "number" ? total : undefined } : undefined,
    aux: isObject(aux) ? aux : undefined,
  };
};
