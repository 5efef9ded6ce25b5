/** What an operator should know: failed writes of the metadata, damaged content, what was collected. */
export interface Notice {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  readonly repository?: string;
  readonly digest?: string;
}
