import assert from "node:assert/strict";
import { test } from "node:test";
import { challengeFinding } from "./service.ts";

test("a challenge is told without what a realm has of a secret", () => {
  const realm = "https://ann:sEcret@auth.test/token?key=sEcret";
  const headers: [string, string][] = [["WWW-Authenticate", `Bearer realm="${realm}",service="r.test"`]];
  const { said } = challengeFinding({ status: 401, headers, url: "https://r.test/v2/", text: "", now: 0 });
  assert.equal(said, "tokens of https://auth.test/token?key=REDACTED, service r.test");
});
