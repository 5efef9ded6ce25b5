import assert from "node:assert/strict";
import { test } from "node:test";
import threads from "node:worker_threads";
import { hashSync } from "bcryptjs";
import { createVerifier, VerifierBusy } from "./verifier.ts";

const { Worker } = threads;
const hash = hashSync("right", 4);

test("passwords are verified in other threads, as many as wait", async () => {
  const verifier = createVerifier({ threads: 2 });
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, at) =>
      verifier.verify({ password: at % 2 === 0 ? "right" : "no", hash, cost: 4 }, "here"),
    ),
  );
  assert.deepEqual(answers, Array.from({ length: 5 }, () => [true, false]).flat());
  assert.equal(await verifier.verify({ password: "right", cost: 4 }, "here"), false, "nobody has no password");
  await verifier.close();
});

test("what finds the queue full is refused at once, and the others are not", async () => {
  const verifier = createVerifier({ threads: 1, waiting: 2 });
  const asked = Array.from({ length: 5 }, () => verifier.verify({ password: "right", hash, cost: 4 }, "here"));
  const settled = await Promise.allSettled(asked);
  assert.deepEqual(
    settled.map((one) => (one.status === "fulfilled" ? one.value : one.reason instanceof VerifierBusy)),
    [true, true, true, true, true],
  );
  assert.deepEqual(
    settled.map(({ status }) => status),
    ["fulfilled", "fulfilled", "fulfilled", "rejected", "rejected"],
  );
  assert.equal(await verifier.verify({ password: "right", hash, cost: 4 }, "here"), true);
  await verifier.close();
});

/** Counts what threads are asked, which is what is computed. */
const countingThreads = () => {
  const count = { asked: 0 };
  threads.Worker = function (...args: ConstructorParameters<typeof Worker>) {
    const worker = new Worker(...args);
    const post = worker.postMessage.bind(worker);
    worker.postMessage = (...message: Parameters<typeof post>) => {
      count.asked++;
      post(...message);
    };
    return worker;
  } as unknown as typeof Worker;
  return count;
};

test("names that are nobody's hold no thread that somebody waits for, and fill no queue", async () => {
  const count = countingThreads();
  try {
    const verifier = createVerifier({ threads: 1, waiting: 40 });
    // So that it is known how long a refusal takes.
    assert.equal(await verifier.verify({ password: "no", cost: 4 }, "here"), false);
    count.asked = 0;
    const nobody = Array.from({ length: 70 }, (_, at) => verifier.verify({ password: `no${at}`, cost: 4 }, "here"));
    const users = Array.from({ length: 20 }, () => verifier.verify({ password: "right", hash, cost: 4 }, "here"));
    assert.deepEqual(new Set(await Promise.all(users)), new Set([true]));
    assert.deepEqual(new Set(await Promise.all(nobody)), new Set([false]));
    // The users, and the one that came first.
    assert.equal(count.asked, 21);
    await verifier.close();
  } finally {
    threads.Worker = Worker;
  }
});

test("whoever guesses without end waits behind those who ask once from elsewhere", async () => {
  const verifier = createVerifier({ threads: 1 });
  const order: string[] = [];
  const ask = (who: string, password: string): Promise<unknown> =>
    verifier.verify({ password, hash, cost: 4 }, who).then(() => order.push(who));
  const guesses = Array.from({ length: 10 }, (_, at) => ask("guesser", `no${at}`));
  await Promise.all([...guesses, ask("ann", "right"), ask("bob", "right")]);
  assert.deepEqual(order.slice(0, 3), ["guesser", "ann", "bob"]);
  await verifier.close();
});

test("70 guesses at seven users keep 20 others from the same address waiting for seven of them", async () => {
  const count = countingThreads();
  try {
    const verifier = createVerifier({ threads: 1 });
    const guessed = Array.from({ length: 7 }, () => hashSync("secret", 4));
    const guesses = Array.from({ length: 70 }, (_, at) =>
      verifier.verify({ password: `no${at}`, hash: guessed[Math.floor(at / 10)] as string, cost: 4 }, "proxy"),
    );
    const users = Array.from({ length: 20 }, (_, at) => {
      const own = hashSync(`right${at}`, 4);
      return verifier.verify({ password: `right${at}`, hash: own, cost: 4 }, "proxy");
    });
    assert.deepEqual(new Set(await Promise.all(users)), new Set([true]));
    // The one that comes after the last of them is on its way.
    assert.ok(count.asked <= 20 + 7 + 1, `${count.asked} passwords`);
    assert.deepEqual(new Set(await Promise.all(guesses)), new Set([false]));
    await verifier.close();
  } finally {
    threads.Worker = Worker;
  }
});

test("a question that fails fails alone", async () => {
  const verifier = createVerifier({ threads: 1 });
  // No text: bcrypt throws.
  const bad = verifier.verify({ password: 1 as unknown as string, hash, cost: 4 }, "here");
  const next = verifier.verify({ password: "right", hash, cost: 4 }, "here");
  await assert.rejects(bad, /Illegal arguments/);
  assert.equal(await next, true);
  await verifier.close();
});

const without: readonly [what: string, start: () => threads.Worker][] = [
  [
    "can be started",
    () => {
      throw new Error("no threads here");
    },
  ],
  ["gets to its first answer", () => new Worker("process.exit(1)", { eval: true })],
];
for (const [what, start] of without)
  test(`passwords are verified in place where no thread ${what}`, async () => {
    let started = 0;
    // What a constructor returns is what `new` gives.
    threads.Worker = function () {
      started++;
      return start();
    } as unknown as typeof Worker;
    try {
      const verifier = createVerifier({ threads: 2 });
      const asked = ["right", "no", "right"].map((password) => verifier.verify({ password, hash, cost: 4 }, "here"));
      assert.deepEqual(await Promise.all(asked), [true, false, true]);
      await verifier.close();
    } finally {
      threads.Worker = Worker;
    }
    assert.ok(started > 0);
  });

test("closing refuses what waits and what comes", async () => {
  const verifier = createVerifier({ threads: 1 });
  const asked = Array.from({ length: 3 }, () => verifier.verify({ password: "no", hash, cost: 12 }, "here"));
  const settled = Promise.allSettled(asked);
  await verifier.close();
  for (const one of await settled) assert.ok(one.status === "rejected" && one.reason instanceof VerifierBusy);
  await assert.rejects(verifier.verify({ password: "no", cost: 4 }, "here"), VerifierBusy);
});
