import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { isDrayError } from "dray/errors";
import { SMTPServer } from "smtp-server";
import { happened } from "../../test/events.ts";
import { sinkOf } from "./index.ts";

const signal = new AbortController().signal;

/** A real mail server, and what came. */
const mailServer = async (options: { refuses?: string } = {}) => {
  const mails: { from: string; to: string[]; user: unknown; text: string }[] = [];
  const server = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: true,
    disabledCommands: ["STARTTLS"],
    onAuth: ({ username, password }, _session, done) =>
      password === "s3cret"
        ? done(null, { user: username })
        : done(Object.assign(new Error("no such user"), { responseCode: 535 })),
    onRcptTo: ({ address }, _session, done) =>
      address === options.refuses ? done(Object.assign(new Error("no such mailbox"), { responseCode: 550 })) : done(),
    onData: (stream, session, done) => {
      let text = "";
      stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user: session.user,
          text,
        });
        done();
      });
    },
  });
  server.on("error", () => {});
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  const { port } = server.server.address() as { port: number };
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
};

test("a mail tells of an event under the event's id, and of several as one", async () => {
  const { url, mails, close } = await mailServer();
  const from = "Dray <dray@example.org>";
  const to = ["ann@example.org", "bob@example.org"];
  const sink = await sinkOf({ type: "email", name: "mail", url, user: "dray", password: "s3cret", from, to });
  const event = happened("app:1.0");
  assert.equal(await sink.send([event], signal), undefined);
  await sink.send([event, happened("app:2.0")], signal);
  const [one, two] = mails;
  assert.deepEqual([one?.from, one?.to, one?.user], ["dray@example.org", to, "dray"]);
  assert.match(one?.text ?? "", /^Subject: registry\.example\/app:1\.0 was added\r$/m);
  assert.match(one?.text ?? "", new RegExp(`^Message-ID: <${event.id}@dray\\.watch>\r$`, "m"));
  assert.match(one?.text ?? "", /^Auto-Submitted: auto-generated\r$/m);
  assert.match(one?.text ?? "", /registry\.example\/app:1\.0 was added: aaaaaaaaaaaa/);
  assert.match(two?.text ?? "", /^Subject: 2 changes of images\r$/m);
  assert.match(two?.text ?? "", /app:1\.0 was added[^]*\r\nregistry\.example\/app:2\.0 was added/);
  await sink.close?.();
  await close();
});

test("a mailbox that does not exist is refused for good, a wrong password is tried later, and neither says it", async () => {
  const { url, close } = await mailServer({ refuses: "nobody@example.org" });
  const to = ["nobody@example.org"];
  const refused = await sinkOf({ type: "email", name: "mail", url, from: "dray@example.org", to });
  assert.match((await refused.send([happened("app:1")], signal))?.refused ?? "", /550 no such mailbox/);
  const wrong = await sinkOf({
    type: "email",
    name: "mail",
    url,
    user: "dray",
    password: "wr0ng-one",
    from: "dray@example.org",
    to,
  });
  await assert.rejects(
    wrong.send([happened("app:1")], signal),
    (error) => isDrayError(error, "UNAUTHORIZED") && !error.message.includes("wr0ng"),
  );
  await refused.close?.();
  await wrong.close?.();
  await close();
  const gone = await sinkOf({ type: "email", name: "mail", url, from: "dray@example.org", to });
  await assert.rejects(gone.send([happened("app:1")], signal), { code: "NETWORK" });
  await gone.close?.();
});
