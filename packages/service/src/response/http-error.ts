/** A request that is not done, with the answer that says why. Thrown where the facts are known, made an answer by `withError`. */
export class HttpError<Code extends string = string> extends Error {
  readonly status: number;
  /** For programs, where the status says too little: `UNSUPPORTED`. */
  readonly code: Code;
  readonly headers: Readonly<Record<string, string>>;
  readonly detail: unknown;

  constructor(
    status: number,
    code: Code,
    message: string,
    { headers = {}, detail = null }: { headers?: Readonly<Record<string, string>>; detail?: unknown } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
    this.detail = detail;
  }
}
