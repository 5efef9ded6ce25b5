/** The tables of `docs/server-http.md`. */
export interface Documented {
  readonly endpoints: readonly DocumentedRow[];
  /** `405 UNSUPPORTED`, for whatever was asked. */
  readonly anywhere: ReadonlySet<string>;
}

export interface DocumentedRow {
  /** As `/v2/<name>/tags/list`. */
  readonly path: string;
  readonly methods: readonly string[];
  /** `200`, `404 NAME_UNKNOWN`. */
  readonly answers: ReadonlySet<string>;
}

export const readDocumented = (text: string): Documented => {
  const rows = text
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
  const endpoints: DocumentedRow[] = [];
  const anywhere = new Set<string>();
  const list = (cell: string): string[] => cell.split(", ").filter((word) => word !== "");
  for (const [first = "", second = "", third = "", fourth] of rows)
    if (/^\d{3}$/.test(first)) anywhere.add(`${first} ${second}`.trim());
    else if (fourth !== undefined && /^[A-Z]/.test(second)) {
      const path = /`([^`]+)`/.exec(first)?.[1] ?? endpoints.at(-1)?.path ?? "";
      endpoints.push({ path, methods: second.split(" "), answers: new Set([...list(third), ...list(fourth)]) });
    }
  return { endpoints, anywhere };
};
