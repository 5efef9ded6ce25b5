import assert from "node:assert/strict";
import { test } from "node:test";
import { answerWith, listen } from "@dray/testkit";
import { connectEngine } from "dray/daemon";
import type { Handler } from "dray/http";
import { defined } from "dray/internal/defined";
import { runningInEngine } from "./index.ts";

const digest = (of: string): string => `sha256:${of.repeat(64)}`;

/** Answers of dockerd 20.10 and of podman 4.3, cut down to what is read. */
const answers: Readonly<Record<string, unknown>> = {
  "/containers/json": [
    { Id: "1", Names: ["/web"], Image: "nginx:1.27", ImageID: digest("a"), Labels: { "diun.enable": "true" } },
    { Id: "2", Names: ["/web2"], Image: "nginx:1.27", ImageID: digest("a"), Labels: { "diun.enable": "true" } },
    { Id: "3", Names: ["/old"], Image: digest("b"), ImageID: digest("b"), Labels: null },
    { Id: "4", Names: ["/built"], Image: digest("c"), ImageID: digest("c"), Labels: {} },
    { Id: "5", Names: ["/off"], Image: "quay.io/x/y:1", ImageID: digest("d"), Labels: { "wud.watch": "false" } },
  ],
  "/containers/3/json": { Id: "3", Config: { Image: "quay.io/x/old:2" } },
  "/containers/4/json": { Id: "4", Config: { Image: digest("c") } },
  "/images/json": [
    { Id: digest("a"), RepoTags: ["nginx:1.27"], RepoDigests: [`nginx@${digest("1")}`, `y.test/nginx@${digest("2")}`] },
    { Id: digest("b"), RepoTags: ["<none>:<none>"], RepoDigests: [`quay.io/x/old@${digest("3")}`] },
    { Id: digest("c"), RepoTags: null, RepoDigests: null },
  ],
};

test("what runs in an engine: its name, the digests of its own repository, what labels say, each once", async (t) => {
  const handler: Handler = (request) => {
    const path = request.target.replace(/^\/v[\d.]+|\?.*$/g, "");
    const headers = { "Content-Type": "application/json", "API-Version": "1.41", Server: "Docker/20.10 (linux)" };
    const body = path === "/_ping" ? "OK" : JSON.stringify(answers[path] ?? {});
    return answerWith(200, headers, body)(request, handler);
  };
  const server = await listen(handler);
  const engine = connectEngine({ host: `tcp://${server.host}` });
  t.after(async () => {
    await engine.close();
    await server.close();
  });
  const warnings: string[] = [];
  const running = await runningInEngine(engine, { onWarning: (message) => void warnings.push(message) });
  assert.deepEqual(
    running.map(({ image, digests, places, policy, isLeftAlone }) =>
      defined({ image, digests, places, policy, isLeftAlone }),
    ),
    [
      {
        image: "nginx:1.27",
        digests: [digest("1")],
        places: ["container web", "container web2"],
        policy: { tag: "1.27" },
      },
      { image: "quay.io/x/old:2", digests: [digest("3")], places: ["container old"] },
      { image: "quay.io/x/y:1", digests: [], places: ["container off"], isLeftAlone: true },
    ],
  );
  assert.deepEqual(warnings, [`container built: its image ${digest("c")} has no name in a registry; it is left out`]);
});
