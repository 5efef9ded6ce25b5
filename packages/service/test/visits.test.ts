/** All of it used by another program than the registry, in a process of its own. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryFolder } from "@dray/testkit/files";
import { hashSync } from "bcryptjs";
import { collect } from "dray/content";
import { connection, header } from "dray/http";
import { control } from "../src/control/index.ts";
import { controls } from "./visits-controls.ts";

type Line = Readonly<Record<string, unknown>>;

/** The program, and what it logs. */
class Program {
  readonly child: ChildProcess;
  readonly lines: Line[] = [];

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [new URL("./visits.ts", import.meta.url).pathname, ...args], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...env },
    });
    let rest = "";
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) if (part.startsWith("{")) this.lines.push(JSON.parse(part));
    });
  }

  async line(msg: string): Promise<Line> {
    for (;;) {
      const found = this.lines.find((line) => line["msg"] === msg);
      if (found !== undefined) return found;
      if (this.child.exitCode !== null) assert.fail(`it ended without "${msg}": ${JSON.stringify(this.lines)}`);
      await sleep(10);
    }
  }
}

const send = connection({});
after(() => send.close());
const ask = async (
  origin: string,
  target: string,
  user?: string,
): Promise<{ status: number; text: string; challenge: string | undefined }> => {
  const { status, body, headers } = await send({
    method: "GET",
    origin,
    target,
    headers: user === undefined ? [] : [["Authorization", `Basic ${Buffer.from(user).toString("base64")}`]],
  });
  const text = new TextDecoder().decode(await collect(body.chunks, 1024 * 1024, target));
  return { status, text, challenge: header(headers, "www-authenticate") };
};

let folder: string;
let file: string;
before(async () => {
  folder = temporaryFolder("visits");
  file = join(folder, "visits.yml");
  await writeFile(join(folder, "users"), `ann:${hashSync("secret", 4)}\n`);
  await writeFile(file, "http: {addr: '127.0.0.1:1'}\ngreeting: welcome\n");
});

test("a program with keys, tables and controls of its own serves, tells of itself, reloads and ends in order", async () => {
  const program = new Program([file, folder], { VISITS_HTTP_ADDR: "127.0.0.1:0" });
  const ended = once(program.child, "close");
  const { origin, debug } = (await program.line("serving")) as { origin: string; debug: string };

  const nobody = await ask(origin, "/");
  assert.deepEqual([nobody.status, nobody.challenge], [401, 'Basic realm="visits"']);
  assert.equal(JSON.parse(nobody.text).errors[0].code, "UNAUTHORIZED");
  assert.equal((await ask(origin, "/", "ann:wrong")).status, 401);
  assert.deepEqual(JSON.parse((await ask(origin, "/", "ann:secret")).text), { welcome: "ann", visits: 1 });
  assert.deepEqual(JSON.parse((await ask(origin, "/readyz")).text), {
    status: "ready",
    count: "kept",
    lifecycle: "up",
  });
  const page = (await ask(debug, "/metrics")).text;
  assert.match(page, /^visits_http_requests_total\{code="200",handler="visit",method="get"\} 1$/m);
  assert.match(page, /^visits_users 1$/m);
  const asked = await program.line("request");
  assert.deepEqual([asked["status"], asked["target"]], [401, "/"]);

  await writeFile(file, "greeting: good day\n");
  program.child.kill("SIGHUP");
  await program.line("reloaded");
  assert.deepEqual(JSON.parse((await ask(origin, "/", "ann:secret")).text), { "good day": "ann", visits: 2 });

  const client = await control(join(folder, "control.sock"), controls);
  const told: string[] = [];
  const onProgress = ({ user }: { user: string }): void => void told.push(user);
  assert.deepEqual(await client?.ask("forget", { under: 9 }, { onProgress }), { gone: 1 });
  assert.deepEqual(told, ["ann"]);

  program.child.kill("SIGTERM");
  assert.deepEqual(await ended, [0, null]);
  assert.deepEqual((await readdir(folder)).sort(), ["users", "visits.db", "visits.yml"]);
  assert.equal((await readFile(join(folder, "visits.db"))).subarray(0, 15).toString(), "SQLite format 3");
});

test("a configuration that cannot be used is refused with what is wrong and where", async () => {
  const wrong = join(folder, "wrong.yml");
  await writeFile(wrong, "http: {adr: ':1'}\ngreeting: [a]\n");
  const program = new Program([wrong]);
  const [code] = await once(program.child, "close");
  assert.equal(code, 1);
  const said = String(program.lines.at(-1)?.["msg"]);
  for (const part of [
    "wrong.yml:1:8: http.adr: no key is called so; did you mean addr?",
    "greeting: ",
    "data: is missing",
  ])
    assert.ok(said.includes(part), said);
});
