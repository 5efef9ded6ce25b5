import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "dray/errors";
import type { CommandModule } from "./context.ts";
import { applyEnvironment, optionsOf } from "./environment.ts";
import { programOf } from "./program.ts";

const module: CommandModule = {
  define: (command) =>
    void command
      .argument("[words...]")
      .option("-n, --no-clobber", "negated")
      .option("--index", "boolean")
      .option("--image-refs <file>", "text"),
  examples: [],
  act: async () => {},
};

/** What a command `it` is told by words and environment. */
const understood = async (words: readonly string[], env: Record<string, string> = {}) => {
  let seen: { options: Record<string, unknown>; words: readonly string[] } | undefined;
  const program = programOf({
    branches: [{ name: "it", summary: "It", load: async () => module }],
    writeOut: () => {},
    onCommand: () => {},
    act: async (_, command) => {
      applyEnvironment(command, env);
      seen = { options: optionsOf(command), words: command.args };
    },
  });
  await program.parseAsync([...words], { from: "user" });
  return { options: seen?.options, words: seen?.words };
};

test("flags before and after the command, and from the environment", async () => {
  const linux = (architecture: string) => ({ os: "linux", architecture });
  const rows: readonly [words: string[], env: Record<string, string>, options: Record<string, unknown>][] = [
    [["it"], {}, {}],
    [["--insecure", "it"], {}, { insecure: true }],
    [["it", "--insecure"], {}, { insecure: true }],
    [["it", "--index", "a", "--insecure"], {}, { index: true, insecure: true }],
    [["it"], { DRAY_INSECURE: "1" }, { insecure: true }],
    [["it"], { DRAY_PLAIN_HTTP: "1", DRAY_SKIP_TLS_VERIFY: "no" }, { plainHttp: true, skipTlsVerify: false }],
    [["it"], { DRAY_INSECURE: "" }, {}],
    [["it"], { DRAY_INSECURE: "off" }, { insecure: false }],
    [["it", "--insecure=false"], { DRAY_INSECURE: "true" }, { insecure: false }],
    [["--insecure=false", "it"], { DRAY_INSECURE: "true" }, { insecure: false }],
    [["it", "--index=true"], {}, { index: true }],
    [["it", "--index=false"], { DRAY_INDEX: "yes" }, { index: false }],
    [["it"], { DRAY_NO_CLOBBER: "true" }, { clobber: false }],
    [["it"], { DRAY_CA_FILE: "/ca" }, { caFile: "/ca" }],
    [["it", "--ca-file", "/other"], { DRAY_CA_FILE: "/ca" }, { caFile: "/other" }],
    [["--ca-file=/other", "it"], { DRAY_CA_FILE: "/ca" }, { caFile: "/other" }],
    [["--retry", "1", "it", "--retry", "2"], {}, { retry: 2 }],
    [["it"], { DRAY_TIMEOUT: "1m30s" }, { timeout: 90_000 }],
    [["it", "--timeout", "7"], {}, { timeout: 7000 }],
    [["it", "--timeout", "1.5h", "--max-wait", "250ms"], {}, { timeout: 5_400_000, maxWait: 250 }],
    [
      ["it", "--allow-private", "a.test", "--allow-private", "10.0.0.0/8"],
      {},
      { allowPrivate: ["a.test", "10.0.0.0/8"] },
    ],
    [["it"], { DRAY_ALLOW_PRIVATE: "a.test, ::1" }, { allowPrivate: ["a.test", "::1"] }],
    [["it"], { DRAY_PROGRESS: "json" }, { progress: "json" }],
    [["it"], { DRAY_PLATFORM: "linux/amd64,linux/arm" }, { platform: [linux("amd64"), linux("arm")] }],
    [["it", "--platform", "linux/amd64", "--platform", "linux/arm"], {}, { platform: [linux("amd64"), linux("arm")] }],
    [["it", "--platform", "all"], { DRAY_PLATFORM: "linux/arm" }, { platform: [] }],
    [["it", "-vq"], {}, { verbose: true, quiet: true }],
  ];
  for (const [words, env, options] of rows)
    assert.deepEqual((await understood(words, env)).options, options, `${words.join(" ")} ${JSON.stringify(env)}`);
});

test("words after -- are no flags", async () => {
  const { options, words } = await understood(["it", "a", "--", "--insecure=true", "-v"]);
  assert.deepEqual([options, words], [{}, ["a", "--insecure=true", "-v"]]);
});

test("what makes no sense is a usage error that names the flag or the variable", async () => {
  const rows: readonly [words: string[], env: Record<string, string>, says: RegExp][] = [
    [["it", "--nope"], {}, /unknown option '--nope'/],
    [["it", "--indec"], {}, /Did you mean --index/],
    [["nope"], {}, /unknown command 'nope'/],
    [["ti"], {}, /Did you mean it/],
    [["it", "--timeout", "soon"], {}, /--timeout.*'soon'.*30s/],
    [["it", "--timeout", "-5"], {}, /--timeout/],
    [["it", "--timeout", "0s"], {}, /--timeout.*'0s'.*1ms or more/],
    [["it"], { DRAY_TIMEOUT: "0" }, /DRAY_TIMEOUT="0": .*1ms or more/],
    [["it", "--retry", "1.5"], {}, /whole number/],
    [["it", "--progress", "loud"], {}, /auto, tty, plain, json, none/],
    [["it", "--ca-file"], {}, /--ca-file.*missing/],
    [["it"], { DRAY_TIMEOUT: "soon" }, /DRAY_TIMEOUT="soon": .*30s/],
    [["it"], { DRAY_PROGRESS: "loud" }, /DRAY_PROGRESS="loud": .*plain/],
    [["it"], { DRAY_VERBOSE: "perhaps" }, /DRAY_VERBOSE="perhaps": expected true or false/],
  ];
  for (const [words, env, says] of rows)
    await assert.rejects(
      understood(words, env),
      (error) => isDrayError(error, "USAGE") && says.test(error.message) && !error.message.includes("\\n"),
      words.join(" "),
    );
  await assert.rejects(understood(["it", "--platform", "a/b/c/d"]), (error) => isDrayError(error, "PLATFORM_INVALID"));
});
