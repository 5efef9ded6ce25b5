import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { ThreadEnded } from "./channel.ts";
import { closeThreads, type PoolOptions, ThreadPool } from "./index.ts";

/** Answers each question with itself and where it was answered; one of them ends the thread. */
const script = `
  const { parentPort } = require("node:worker_threads");
  parentPort.on("message", ({ id, question, last }) => {
    if (question === "end") process.exit(3);
    parentPort.postMessage({ id, last, answer: question + " in a thread" });
  });
`;

const poolOf = (options: Partial<PoolOptions<string, string>> = {}): ThreadPool<string, string> =>
  new ThreadPool({
    script: () => script,
    inPlace: async () => () => (question) => {
      if (question === "fail") throw Object.assign(new Error("no such question"), { code: "ENOENT" });
      return `${question} in place`;
    },
    ...options,
  });

/** What one job hears. */
const ask = async (pool: ThreadPool<string, string>, ...questions: string[]): Promise<unknown[]> => {
  const heard: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const hear = (what: unknown): void => {
    if (heard.push(what) === questions.length || what instanceof ThreadEnded) resolve();
  };
  const { thread, id } = pool.join({ answered: hear, refused: hear, lost: hear });
  for (const [i, question] of questions.entries()) thread.ask(id, question, i === questions.length - 1);
  await promise;
  return heard;
};

describe("a pool of threads", () => {
  after(closeThreads);

  it("answers in a thread, in order", async () => {
    assert.deepEqual(await ask(poolOf(), "1", "2"), ["1 in a thread", "2 in a thread"]);
  });

  const without: readonly [what: string, options: Partial<PoolOptions<string, string>>][] = [
    [
      "cannot be started",
      {
        start: () => {
          throw new Error("no threads here");
        },
      },
    ],
    [
      "has no file",
      {
        script: () => {
          throw new TypeError("import.meta.url is undefined");
        },
      },
    ],
    ["finds no file", { script: () => new URL("./missing.worker.ts", import.meta.url) }],
    ["ends at once", { script: () => "process.exit(1)" }],
    ["throws at once", { script: () => 'throw new Error("not here")' }],
    ["is no program", { script: () => "const (" }],
    ["ends before its first answer", { script: () => script.replace('"end"', '"1"') }],
  ];
  for (const [what, options] of without)
    it(`answers in place, in order and each question once, where a thread ${what}`, async () => {
      const pool = poolOf({ ...options, most: () => 2 });
      const jobs = await Promise.all([ask(pool, "1", "2", "fail", "3"), ask(pool, "1", "4"), ask(pool, "1", "5")]);
      const [[first, second, failed, third], ...others] = jobs;
      assert.deepEqual([first, second, third], ["1 in place", "2 in place", "3 in place"]);
      assert.ok(failed instanceof Error && "code" in failed && failed.code === "ENOENT");
      assert.deepEqual(others, [
        ["1 in place", "4 in place"],
        ["1 in place", "5 in place"],
      ]);
    });

  it("asks for no second thread where the first could not run", async () => {
    let asked = 0;
    const pool = poolOf({
      start: () => {
        asked++;
        throw new Error("no threads here");
      },
    });
    for (const question of ["1", "2", "3"]) assert.deepEqual(await ask(pool, question), [`${question} in place`]);
    await Promise.all(["4", "5"].map((question) => ask(pool, question)));
    assert.equal(asked, 1);
  });

  it("fails the jobs of a thread that ends after it has answered, and gives the next one another thread", async () => {
    const pool = poolOf({ most: () => 1 });
    assert.deepEqual(await ask(pool, "1"), ["1 in a thread"]);
    const jobs = await Promise.all([ask(pool, "2", "end", "3"), ask(pool, "4")]);
    assert.deepEqual(
      jobs.map(([heard]) => heard instanceof ThreadEnded || heard),
      ["2 in a thread", true],
    );
    assert.ok(jobs[0]?.at(-1) instanceof ThreadEnded);
    assert.deepEqual(await ask(pool, "5"), ["5 in a thread"]);
  });

  it("fails what is under way when it is closed, and starts again", async () => {
    const pool = poolOf();
    const asked = ask(pool, "1");
    await pool.close();
    const [heard] = await asked;
    assert.ok(heard instanceof ThreadEnded);
    assert.deepEqual(await ask(pool, "2"), ["2 in a thread"]);
  });
});
