import { answerWith } from "@dray/testkit";
import type { Handler } from "../src/http/index.ts";

/** Answers everything with this value. */
export const respondJson = (value: unknown): Handler => {
  const answer = answerWith(200, { "Content-Type": "application/json" }, JSON.stringify(value));
  const handler: Handler = (request) => answer(request, handler);
  return handler;
};
