/** What an operator should know, from a part of a program that has no log of its own. */
export interface Notice {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
}
