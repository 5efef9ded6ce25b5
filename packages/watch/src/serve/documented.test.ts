import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { writtenValue } from "@dray/service/config";
import { ask, served } from "../../test/serving.ts";
import { watchKeys } from "../config/index.ts";

const page = readFileSync(new URL("../../../../docs/watch-serve.md", import.meta.url), "utf8");

interface Told {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly schema: { readonly type: string } }[];
  readonly responses: Readonly<Record<string, object>>;
  readonly security?: readonly object[];
}

/** What each parameter may be asked with. */
const values: Readonly<Record<string, string>> = {
  type: "tag.added",
  status: "dead",
  limit: "1",
  gone: "true",
  policy: "{}",
};

test("each endpoint of the document is there, takes the parameters it tells of and no other, and answers as it says", async () => {
  const { serving, close } = await served("http: { addr: '127.0.0.1:0', token: t0ken }");
  const { origin } = serving;
  const { json } = await ask(origin, "/v1/openapi.json", { token: "t0ken" });
  assert.match(json.openapi, /^3\.1\./);
  const ids = new Set<string>();
  for (const [route, methods] of Object.entries<Record<string, Told>>(json.paths)) {
    const path = route.replace("{name}", "nowhere.example/app");
    const { parameters: _, ...operations } = methods;
    for (const [method, { operationId, parameters, responses, security }] of Object.entries(operations)) {
      const what = `${method} ${route}`;
      assert.ok(!ids.has(operationId), `${operationId} names two operations`);
      ids.add(operationId);
      const asked = { method: method.toUpperCase(), ...(method === "post" ? { body: "{}" } : {}) };
      const isOpen = security?.length === 0;
      if (!isOpen) assert.equal((await ask(origin, path, asked)).status, 401, what);
      assert.ok(isOpen || Object.hasOwn(responses, "401"), what);
      const query = parameters.map(({ name }) => `${name}=${encodeURIComponent(values[name] ?? "a")}`).join("&");
      for (const target of [path, query === "" ? path : `${path}?${query}`]) {
        const { status, json: answer } = await ask(origin, target, { token: "t0ken", ...asked });
        assert.notEqual(status, 405, what);
        assert.ok(Object.hasOwn(responses, status), `${what} answers ${status}, which nobody is told of: ${target}`);
        const message = String(answer?.errors?.[0]?.message ?? "");
        assert.doesNotMatch(message, /no such endpoint|no parameter/, what);
      }
      if (!route.startsWith("/v1/webhooks") && !isOpen) {
        assert.equal((await ask(origin, `${path}?colour=red`, { token: "t0ken", ...asked })).status, 400, what);
        assert.ok(Object.hasOwn(responses, "400"), `${what} refuses what it does not know`);
      }
    }
    assert.ok(page.includes(route.replace("{name}", "NAME")), `docs/watch-serve.md does not tell of ${route}`);
    const answer = await ask(origin, path, { token: "t0ken", method: "DELETE" });
    if (!route.startsWith("/v1/webhooks")) assert.equal(answer.status, 405, route);
  }
  await close();
});

test("the page of the service has a row for each key, as its table says", () => {
  const written = (value: unknown, type: string): string => {
    const text = Array.isArray(value) ? value.join(",") : String(writtenValue(value, type));
    return text === "" ? "" : `\`${text}\``;
  };
  const rows = watchKeys.keys.map(({ path, type, fallback, fallbackText, about, reloadable }) => {
    const standard = fallbackText ?? (fallback === undefined ? "" : written(fallback, type.name));
    return `| \`${path}\` | ${standard} | ${about.replaceAll("|", "\\|")} | ${reloadable ? "applies" : "waits for a restart"} |`;
  });
  const [, , ...told] = page.split("\n").filter((line) => line.startsWith("|"));
  assert.deepEqual(told, rows);
});
