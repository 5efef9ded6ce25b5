import assert from "node:assert/strict";
import { rename, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { hashSync } from "bcryptjs";
import type { Notice } from "../../observe/index.ts";
import type { Authenticated } from "../authenticated.ts";
import { credentialsOf } from "../credentials.ts";
import { openPasswordFile, type PasswordFile, type PasswordFileOptions } from "./password-file.ts";
import { type Question, verify } from "./verification.ts";
import { createVerifier, type Verifier } from "./verifier.ts";

const folder = temporaryFolder("htpasswd");
const secret = "correct-horse";
const hashes = { ann: hashSync(secret, 4), bob: hashSync("battery", 4) };

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

/** Computes at once, and tells how often. */
const counting = (): Verifier & { asked: Question[] } => {
  const asked: Question[] = [];
  return {
    asked,
    verify: async (question) => {
      asked.push(question);
      return verify(question);
    },
    close: async () => {},
  };
};

let files = 0;
const writeUsers = async (users: Readonly<Record<string, string>>, path?: string): Promise<string> => {
  const file = path ?? join(folder, `users${++files}`);
  const lines = Object.entries(users).map(([user, hash]) => `${user}:${hash}\n`);
  await writeFile(`${file}.new`, lines.join(""));
  await rename(`${file}.new`, file);
  return file;
};

interface Scene {
  readonly users: PasswordFile;
  readonly file: string;
  readonly verifier: Verifier & { asked: Question[] };
  readonly notices: Notice[];
  readonly clock: { now: number };
  readonly ask: (authorization: string, peer?: string) => Promise<Authenticated>;
  readonly status: (authorization: string, peer?: string) => Promise<number>;
}

const scene = async (options: Partial<PasswordFileOptions> = {}): Promise<Scene> => {
  const file = options.file ?? (await writeUsers(hashes));
  const verifier = counting();
  const notices: Notice[] = [];
  const clock = { now: Date.now() };
  const onNotice = (notice: Notice): void => void notices.push(notice);
  const users = await openPasswordFile({
    file,
    realm: "house",
    verifier,
    now: () => clock.now,
    onNotice,
    ...options,
  });
  const ask = async (authorization: string, peer = "192.0.2.1:4000"): Promise<Authenticated> => {
    const credentials = credentialsOf({ headers: [["Authorization", authorization]] });
    assert.ok(credentials.kind === "basic");
    return users.authenticate(credentials, peer);
  };
  return {
    users,
    file,
    verifier,
    notices,
    clock,
    ask,
    status: async (...asked) => {
      const answer = await ask(...asked);
      return answer.allowed ? 200 : answer.status;
    },
  };
};

test("the realm is quoted in the challenge, and cannot end it", async () => {
  const { users } = await scene({ realm: 'the "best"' });
  assert.equal(users.challenge, 'Basic realm="the \\"best\\""');
  await assert.rejects(scene({ realm: "two\nlines" }), { code: "CONFIG_INVALID" });
});

test("a right password is computed once, and again after five minutes", async () => {
  const { status, verifier, clock } = await scene();
  const right = basic("ann", secret);
  for (let time = 0; time < 5; time++) assert.equal(await status(right), 200);
  assert.equal(verifier.asked.length, 1);
  clock.now += 5 * 60_000;
  assert.equal(await status(right), 200);
  assert.equal(verifier.asked.length, 2);
});

test("the same question at the same time is computed once", async () => {
  const { status, verifier } = await scene();
  const statuses = await Promise.all(Array.from({ length: 50 }, () => status(basic("ann", secret))));
  assert.deepEqual(new Set(statuses), new Set([200]));
  assert.equal(verifier.asked.length, 1);
  const refused = await Promise.all(Array.from({ length: 50 }, () => status(basic("bob", "wrong"))));
  assert.deepEqual(new Set(refused), new Set([401]));
  assert.equal(verifier.asked.length, 2);
});

test("a user who is not there costs what the dearest hash costs", async () => {
  const file = await writeUsers({ ann: hashes.ann, dear: hashSync("x", 6) });
  const { status, verifier } = await scene({ file });
  assert.equal(await status(basic("eve", secret)), 401);
  assert.deepEqual(verifier.asked, [{ password: secret, cost: 6 }]);
  assert.equal(verify({ password: secret, cost: 6 }), false);
  assert.equal(verify({ password: "no", hash: hashes.ann, cost: 6 }), false);
});

test("a file that changes counts from its next look on, and what was remembered of it is gone", async () => {
  const { status, file, clock, verifier } = await scene();
  assert.equal(await status(basic("ann", secret)), 200);
  assert.equal(await status(basic("bob", "battery")), 200);
  await writeUsers({ ann: hashSync("fresh", 4), carl: hashSync("new", 4) }, file);
  assert.equal(await status(basic("ann", secret)), 200, "within the second");
  clock.now += 1000;
  assert.equal(await status(basic("ann", secret)), 401);
  assert.equal(await status(basic("ann", "fresh")), 200);
  assert.equal(await status(basic("bob", "battery")), 401);
  assert.equal(await status(basic("carl", "new")), 200);
  assert.equal(verifier.asked.length, 6);
});

test("reload does not wait for the second, and sees what changed behind equal times", async () => {
  const { status, file, users } = await scene();
  const past = new Date(1_000_000_000_000);
  await utimes(file, past, past);
  await users.reload();
  await writeFile(file, `ann:${hashSync("fresh", 4)}\nbob:${hashes.bob}\n`);
  await utimes(file, past, past);
  await users.reload();
  assert.equal(await status(basic("ann", secret)), 401);
  assert.equal(await status(basic("ann", "fresh")), 200);
});

test("a reload lets whoever is locked out try again, and counts anew; a file that changed does not", async () => {
  const { status, users, file, clock } = await scene({ lockout: { attempts: 2, window: 600_000 } });
  for (const name of ["ann", "nobody"]) {
    for (const each of ["1", "2"]) assert.equal(await status(basic(name, each)), 401);
    assert.equal(await status(basic(name, "3")), 429);
  }
  await writeUsers({ ...hashes, carl: hashes.bob }, file);
  clock.now += 2_000;
  assert.equal(await status(basic("carl", "battery")), 200);
  assert.equal(await status(basic("ann", secret)), 429);
  await users.reload();
  assert.equal(await status(basic("nobody", "4")), 401);
  assert.equal(await status(basic("ann", "4")), 401);
  assert.equal(await status(basic("ann", secret)), 200);
  assert.equal(users.lockouts(), 2);
});

test("a file that is gone stays in force, is warned of once, and counts again when it is back", async () => {
  const { status, file, clock, notices } = await scene();
  await unlink(file);
  for (let second = 0; second < 3; second++) {
    clock.now += 1000;
    assert.equal(await status(basic("ann", secret)), 200);
  }
  assert.equal(notices.length, 1);
  assert.match(notices[0]?.message ?? "", /stays in force .* it does not exist/);
  await writeUsers({ bob: hashes.bob }, file);
  clock.now += 1000;
  assert.equal(await status(basic("ann", secret)), 401);
  assert.equal(notices.length, 1);
});

test("a file that is not there at the start is an error that says how to make it", async () => {
  await assert.rejects(scene({ file: join(folder, "none") }), (error: Error) => {
    assert.match(error.message, /none: it does not exist .*htpasswd -cB .*none USER/);
    return true;
  });
});

test("after ten wrong passwords nothing more is tried for that user from there", async () => {
  const { status, ask, verifier, clock, notices } = await scene();
  assert.equal(await status(basic("ann", secret), "198.51.100.7:1"), 200);
  for (let attempt = 0; attempt < 10; attempt++)
    assert.equal(await status(basic("ann", `guess${attempt}`), `192.0.2.1:${attempt}`), 401);
  const before = verifier.asked.length;
  const locked = await ask(basic("ann", secret));
  assert.ok(!locked.allowed);
  assert.deepEqual([locked.status, locked.headers], [429, { "Retry-After": "60" }]);
  assert.equal(verifier.asked.length, before, "nothing was computed");
  assert.equal(await status(basic("ann", secret), "198.51.100.7:2"), 200, "the user elsewhere is not kept out");
  assert.equal(await status(basic("bob", "battery")), 200, "others from there are not kept out");
  assert.equal(notices.length, 1);
  assert.match(notices[0]?.message ?? "", /"ann" from 192\.0\.2\.1/);
  clock.now += 60_000;
  assert.equal(await status(basic("ann", secret)), 200);
});

test("who logged in from an address goes on, whatever others guess there and for however long", async () => {
  const { status, verifier, clock } = await scene({ lockout: { attempts: 3 }, remember: 120_000 });
  assert.equal(await status(basic("ann", secret), "192.0.2.1:1"), 200);
  assert.equal(await status(basic("ann", secret), "198.51.100.7:1"), 200);
  const guess = async (peer: string): Promise<void> => {
    for (let attempt = 0; attempt < 4; attempt++) await status(basic("ann", `guess${attempt}`), peer);
  };
  for (let minute = 0; minute < 5; minute++) {
    await guess("192.0.2.1:2");
    assert.equal(await status(basic("ann", "guess0"), "192.0.2.1:2"), 429);
    const before = verifier.asked.length;
    assert.equal(await status(basic("ann", secret), "192.0.2.1:1"), 200);
    assert.equal(verifier.asked.length, before, "nothing was computed");
    clock.now += 60_000;
  }
  await guess("203.0.113.5:2");
  assert.equal(await status(basic("ann", secret), "203.0.113.5:2"), 429, "who guessed it elsewhere does not learn it");
});

test("a flood of names that are nobody's lets no guess at a user be forgotten", async () => {
  const { status } = await scene({ lockout: { attempts: 3, remembered: 5 } });
  for (let attempt = 0; attempt < 2; attempt++) assert.equal(await status(basic("ann", `guess${attempt}`)), 401);
  for (let name = 0; name < 20; name++) assert.equal(await status(basic(`nobody${name}`, "x")), 401);
  assert.equal(await status(basic("ann", "guess2")), 401);
  assert.equal(await status(basic("ann", "guess3")), 429);
});

test("many attempts at once are no way around, and users who are not there are locked like others", async () => {
  const { status, verifier, notices } = await scene({ lockout: { attempts: 3 } });
  const statuses = await Promise.all(Array.from({ length: 20 }, (_, at) => status(basic("eve", `guess${at}`))));
  assert.equal(verifier.asked.length, 3);
  assert.deepEqual(
    [401, 429].map((wanted) => statuses.filter((status) => status === wanted).length),
    [3, 17],
  );
  assert.doesNotMatch(notices[0]?.message ?? "", /eve|guess/);
});

test("a right password forgives the wrong ones before it", async () => {
  const { status, verifier } = await scene({ lockout: { attempts: 3 }, remember: 0 });
  for (let round = 0; round < 3; round++) {
    for (let attempt = 0; attempt < 2; attempt++) assert.equal(await status(basic("ann", "no")), 401);
    assert.equal(await status(basic("ann", secret)), 200);
  }
  assert.equal(verifier.asked.length, 9);
});

test("what cannot be computed is a 503: a full queue, a thread that ends, a program that stops", async () => {
  let failure = new Error("the thread ended");
  const broken: Verifier = { verify: () => Promise.reject(failure), close: async () => {} };
  const { ask, notices } = await scene({ verifier: broken, lockout: { attempts: 1 } });
  for (let time = 0; time < 3; time++) {
    const verdict = await ask(basic("ann", secret));
    assert.ok(!verdict.allowed);
    assert.deepEqual([verdict.status, verdict.headers], [503, { "Retry-After": "5" }], "and is no wrong password");
  }
  assert.equal(notices.length, 3);
  failure = await createVerifier({ threads: 0, waiting: 0 })
    .verify({ password: "", cost: 4 }, "here")
    .then(
      () => assert.fail(),
      (error: Error) => error,
    );
  const verdict = await ask(basic("ann", secret));
  assert.ok(!verdict.allowed && verdict.status === 503);
  assert.equal(notices.length, 3, "a full queue is nothing to be told");
});

test("real threads: right, wrong, unknown, side by side, and closed", async () => {
  const verifier = createVerifier({ threads: 2, waiting: 100 });
  const { status, users } = await scene({ verifier });
  const asked = Array.from({ length: 8 }, (_, at) => [
    status(basic("ann", secret), `192.0.2.${at}:1`),
    status(basic("bob", `no${at}`), `192.0.2.${at}:1`),
    status(basic("eve", `no${at}`), `192.0.2.${at}:1`),
  ]);
  assert.deepEqual(await Promise.all(asked.flat()), Array.from({ length: 8 }, () => [200, 401, 401]).flat());
  await users.close();
  assert.equal(await status(basic("bob", "battery")), 503);
  assert.equal(await status(basic("ann", secret)), 200, "what is known is known");
});

test("what Apache's htpasswd writes, and other forms of bcrypt", async () => {
  const apache = "$2y$04$heUH1WohP5VEd4ivyggjTeu/HTIaArJLm0qjwI3b9ktWnTHctUNI2";
  const file = await writeUsers({ y: apache, a: apache.replace("2y", "2a"), b: apache.replace("2y", "2b") });
  const { status } = await scene({ file });
  for (const user of ["y", "a", "b"]) {
    assert.equal(await status(basic(user, secret)), 200);
    assert.equal(await status(basic(user, `${secret}.`)), 401);
  }
});

test("a password of more than 72 bytes is cut, as every bcrypt does it", async () => {
  const long = "é".repeat(40);
  const file = await writeUsers({ ann: hashSync(long, 4) });
  const { status } = await scene({ file });
  assert.equal(await status(basic("ann", long)), 200);
  assert.equal(await status(basic("ann", "é".repeat(36))), 200);
  assert.equal(await status(basic("ann", "é".repeat(35))), 401);
});

test("no secret is told by a notice, a message or an error", async () => {
  const planted = "PLANTED-SECRET";
  const file = join(folder, "planted");
  await writeFile(
    file,
    [
      `# ${planted}`,
      `plain:${planted}`,
      `{SHA}${planted}`,
      `md5:$apr1$${planted}`,
      `${planted}`,
      `slow:$2y$31$${"u".repeat(53)}`,
      `:${planted}`,
      `ann:${hashSync(planted, 4)}`,
      `ann:${hashSync(planted, 4)}`,
    ].join("\r\n"),
  );
  const { ask, notices, status } = await scene({ file, lockout: { attempts: 2 } });
  const said: unknown[] = [];
  for (const authorization of [basic(planted, planted), basic("ann", `${planted}1`), basic("ann", `${planted}2`)])
    for (let time = 0; time < 3; time++) said.push(await ask(authorization));
  said.push(await ask(basic("ann", planted), "x"));
  assert.doesNotMatch(JSON.stringify([said, notices]), new RegExp(`${planted}|\\$2|apr1`));
  assert.deepEqual(
    notices.map(({ message }) => Number(/line (\d+)/.exec(message)?.[1])).filter((line) => line > 0),
    [2, 3, 4, 5, 6, 7, 9],
  );
  assert.equal(await status(basic("plain", planted), "y"), 401);
});
