import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { listen, memoryRegistry, testCertificates } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { type ErrorCode, isDrayError } from "../errors.ts";
import { connectEngine } from "./index.ts";

const folder = temporaryFolder("sock");
let sockets = 0;

/** Something that listens at a socket and does this with whoever comes. */
const listening = async (act: (socket: Socket) => void): Promise<{ readonly host: string; close(): void }> => {
  const path = join(folder, `${++sockets}`);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => {});
    act(socket);
  });
  await once(server.listen(path), "listening");
  return {
    host: `unix://${path}`,
    close: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
};

const answering = (head: string, body = ""): ((socket: Socket) => void) => {
  return (socket) =>
    socket.on("data", () => socket.write(`HTTP/1.1 ${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`));
};

const failing = async (host: string, code: ErrorCode, says: RegExp, timeout = 20_000): Promise<void> => {
  const engine = connectEngine({ host, timeout, env: { HOME: folder } });
  await assert.rejects(
    engine.list(),
    (error) => (isDrayError(error, code) && says.test(error.message)) || assert.fail(String(error)),
  );
  await engine.close();
};

describe("an engine that does not answer says what was tried", () => {
  test("there is none, a file, a folder, nobody behind the socket", async () => {
    await failing(`unix://${folder}/none`, "NETWORK", /^unix:.*\/none \(the host option\): there is no such socket$/);
    writeFileSync(join(folder, "file"), "");
    await failing(`unix://${folder}/file`, "NETWORK", /that is a file and no socket$/);
    await failing(`unix://${folder}/file/below`, "NETWORK", /there is no such socket$/);
    mkdirSync(join(folder, "folder"));
    await failing(`unix://${folder}/folder`, "NETWORK", /that is a folder and no socket$/);
  });

  test("over TLS what helps is docker's variables, and no option that a registry has", async () => {
    const [plain, own] = await Promise.all([
      listen(memoryRegistry().handler),
      listen(memoryRegistry().handler, { tls: testCertificates().server }),
    ]);
    for (const [{ host }, says] of [
      [
        plain,
        /does not speak TLS; unset DOCKER_TLS_VERIFY, DOCKER_TLS and DOCKER_CERT_PATH, or name its port for TLS$/,
      ],
      [own, /(?:unknown authority|signed by itself|self-signed).*; ca\.pem in the folder that DOCKER_CERT_PATH names/],
    ] as const) {
      const env = { HOME: folder, DOCKER_HOST: `tcp://${host}`, DOCKER_TLS_VERIFY: "1" };
      const engine = connectEngine({ env });
      await assert.rejects(
        engine.list(),
        (error) =>
          (isDrayError(error, "TLS") && says.test(error.message) && error.remedy === undefined) ||
          assert.fail(String(error)),
      );
      await engine.close();
    }
    await Promise.all([plain.close(), own.close()]);
  });

  test("it hangs, closes, closes in the middle, speaks something else", async () => {
    for (const [act, code, says] of [
      [() => {}, "TIMEOUT", /did not answer within 0\.2 s/],
      [(socket: Socket) => socket.destroy(), "NETWORK", /it closed the connection without an answer|cut/],
      [(socket: Socket) => socket.end("HTTP/1.1 200 OK\r\nApi-Ver"), "NETWORK", /./],
      [answering("200 OK"), "ENGINE", /what answers there is no container engine \(status 200\)$/],
      [answering("404 Not Found"), "ENGINE", /no container engine \(status 404\)$/],
    ] as const) {
      const there = await listening(act as (socket: Socket) => void);
      await failing(there.host, code, says, act.length === 0 ? 200 : undefined);
      there.close();
    }
  });

  test("an engine that is too old is told from one that is not there", async () => {
    const there = await listening(answering("200 OK\r\nServer: Docker/1.9\r\nApi-Version: 1.21", "OK"));
    await failing(
      there.host,
      "UNSUPPORTED",
      /speaks API 1\.21, and 1\.24 is the oldest that is understood; update the engine$/,
    );
    there.close();
  });

  const usual = ["/var/run/docker.sock", "/run/podman/podman.sock"].filter(existsSync);
  test("where nobody names one, all that were tried are named", {
    skip: usual.length > 0 && `this machine has ${usual.join(" and ")}`,
  }, async () => {
    const env = { HOME: folder, XDG_RUNTIME_DIR: folder, DOCKER_CONFIG: folder };
    writeFileSync(join(folder, "docker.sock"), "");
    const engine = connectEngine({ env, timeout: 20_000 });
    await assert.rejects(engine.list(), (error) => {
      assert.ok(isDrayError(error, "NETWORK", "TIMEOUT", "ENGINE"), String(error));
      assert.match(error.message, /^there is no container engine that answers: unix:\/\/\/var\/run\/docker\.sock: /);
      assert.match(
        error.message,
        /docker\.sock: that is a file and no socket; .*podman\.sock: there is no such socket; /,
      );
      assert.match(error.message, /start one, or name it by DOCKER_HOST or a docker context$/);
      return true;
    });
    await engine.close();
  });

  test("ssh that cannot get there says why", async () => {
    const bin = join(folder, "bin");
    mkdirSync(bin);
    writeFileSync(
      join(bin, "ssh"),
      '#!/bin/sh\necho "$@" >"$(dirname "$0")/words"\necho "me@h: Permission denied (publickey)." >&2\nexit 255\n',
      {
        mode: 0o755,
      },
    );
    const at = (PATH: string) =>
      connectEngine({ host: "ssh://me@h:2222", env: { HOME: folder, PATH }, timeout: 20_000 });
    const refused = at(bin + ":/usr/bin:/bin");
    await assert.rejects(
      refused.list(),
      (error) =>
        (isDrayError(error, "NETWORK") &&
          /^ssh:\/\/me@h:2222 \(the host option\): me@h: Permission denied \(publickey\)\.$/.test(error.message)) ||
        assert.fail(String(error)),
    );
    await refused.close();
    assert.equal(
      readFileSync(join(bin, "words"), "utf8"),
      "-l me -p 2222 -o BatchMode=yes -T -- h docker system dial-stdio\n",
    );
    const missing = at(join(folder, "nothing"));
    await assert.rejects(missing.list(), /there is no ssh program in PATH/);
    await missing.close();
  });
});
