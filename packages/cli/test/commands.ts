/** What tests of commands begin with: a registry that is served, a home, and the command with its words. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after } from "node:test";
import { listen, type MemoryRegistry, memoryRegistry } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { type Rehearsed, type RehearseOptions, rehearse } from "./rehearse.ts";

/** Words as they are typed, one after another, or as a list with what surrounds the command. */
export type Typed = readonly string[] | readonly [words: readonly string[], options?: RehearseOptions | undefined];

export interface Commands {
  readonly registry: MemoryRegistry;
  /** The registry's, with its port. */
  readonly host: string;
  /** Stands for the user's home. */
  readonly home: string;
  /** A path in the home. */
  readonly at: (...names: readonly string[]) => string;
  readonly dray: (...typed: Typed) => Promise<Rehearsed>;
  /** The same, which has to end well. */
  readonly done: (...typed: Typed) => Promise<Rehearsed>;
  /** What that prints. */
  readonly printed: (...typed: Typed) => Promise<string>;
  /** The same, which has to end with this code and say this. */
  readonly refused: (exitCode: number, says: RegExp, ...typed: Typed) => Promise<Rehearsed>;
}

/** The registry is served until the tests of the file have ended. @param name of the home */
export const commands = async (name: string, registry: MemoryRegistry = memoryRegistry()): Promise<Commands> => {
  const server = await listen(registry.handler);
  after(() => server.close());
  const home = temporaryFolder(name);
  const dray: Commands["dray"] = (...typed) => {
    const [words, options] = taken(typed);
    return rehearse(home, words, options);
  };
  const done: Commands["done"] = async (...typed) => {
    const ended = await dray(...typed);
    assert.equal(ended.exitCode, 0, `${taken(typed)[0].join(" ")}: ${ended.stderr}`);
    return ended;
  };
  return {
    registry,
    host: server.host,
    home,
    at: (...names) => join(home, ...names),
    dray,
    done,
    printed: async (...typed) => (await done(...typed)).stdout,
    refused: async (exitCode, says, ...typed) => {
      const ended = await dray(...typed);
      assert.equal(ended.exitCode, exitCode, `${taken(typed)[0].join(" ")}: ${ended.stderr}`);
      assert.match(ended.stderr, says);
      return ended;
    },
  };
};

const taken = (typed: Typed): readonly [words: readonly string[], options?: RehearseOptions | undefined] =>
  isList(typed) ? typed : [typed];

const isList = (typed: Typed): typed is readonly [readonly string[], (RehearseOptions | undefined)?] =>
  Array.isArray(typed[0]);
