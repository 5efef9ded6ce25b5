import { type Operation, open, parameters, type Route, routes } from "./routes.ts";

const numbers: readonly string[] = ["limit"];

const error = {
  type: "object",
  required: ["errors"],
  properties: {
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["code", "message"],
        properties: { code: { type: "string" }, message: { type: "string" }, detail: {} },
      },
    },
  },
};

/** The API as OpenAPI 3.1, made from the table of routes, so that it tells of each and of no other. */
export const openApi = (version: string): object => ({
  openapi: "3.1.0",
  info: {
    title: "Dray watch",
    version,
    summary: "Which newer image exists",
    license: { name: "Apache-2.0", identifier: "Apache-2.0" },
  },
  components: { securitySchemes: { token: { type: "http", scheme: "bearer" } }, schemas: { Error: error } },
  security: [{ token: [] }, {}],
  paths: Object.fromEntries(
    Object.entries(routes).map(([path, methods]) => [
      path,
      {
        ...(path.includes("{name}")
          ? {
              parameters: [
                {
                  name: "name",
                  in: "path",
                  required: true,
                  description: "all that is left of the path, slashes included",
                  schema: { type: "string" },
                },
              ],
            }
          : {}),
        ...Object.fromEntries(
          Object.entries(methods).map(([method, operation]) => [
            method.toLowerCase(),
            operationOf(path as Route, method, operation as Operation),
          ]),
        ),
      },
    ]),
  ),
});

/** What any endpoint may answer that asks for a token, and any that takes a body. */
const refusals = (path: Route, hasBody: boolean): Readonly<Record<string, string>> => {
  if (open.includes(path)) return {};
  const asked = {
    "400": "a parameter or member that is not there, or makes no sense",
    "401": "there is no token, or a wrong one",
  };
  return hasBody ? { ...asked, "413": "the body is too large", "503": "another process keeps the file busy" } : asked;
};

const operationOf = (
  path: Route,
  method: string,
  { summary, query = [], answers, types = ["application/json"], body }: Operation,
): object => ({
  summary,
  operationId: `${method.toLowerCase()}${path.replace(/[^a-z]+([a-z])/g, (_, letter: string) => letter.toUpperCase()).replace(/[^A-Za-z0-9]/g, "")}`,
  ...(open.includes(path) ? { security: [] } : {}),
  parameters: query.map((name) => ({
    name,
    in: "query",
    description: parameters[name],
    schema: { type: numbers.includes(name) ? "integer" : "string" },
  })),
  ...(body === undefined
    ? {}
    : {
        requestBody: {
          required: true,
          content: {
            "application/json": {
              schema: {
                type: "object",
                properties: Object.fromEntries(
                  Object.entries(body).map(([name, about]) => [
                    name,
                    name === "tags"
                      ? { type: "array", items: { type: "string" }, description: about }
                      : { type: "string", description: about },
                  ]),
                ),
              },
            },
          },
        },
      }),
  responses: Object.fromEntries(
    Object.entries({ ...refusals(path, body !== undefined), ...answers }).map(([status, description]) => {
      const good = status === "200";
      const content = good
        ? Object.fromEntries(types.map((type) => [type, { schema: {} }]))
        : { "application/json": { schema: { $ref: "#/components/schemas/Error" } } };
      return [status, { description, content }];
    }),
  ),
});
