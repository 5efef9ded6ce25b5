/** docs/flux.md names everything that flux's registry packages export, and leads from each to a name that is exported here, and to a test that shows it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { docPage, unfounded } from "../packages/cli/test/doc-page.ts";
import { exitCodes } from "../packages/dray/src/errors.ts";
import { exportsOf } from "./public-names.ts";
import { root } from "./runtimes.ts";

const page = docPage("flux.md");
const titles = ["pkg/registry", "The package of the first year", "Around them"] as const;
const read = (file: string): string => readFileSync(join(root, file), "utf8");

/** Where a name is declared, by name, of everything that may be imported. */
const declaredIn = new Map(
  ["dray", "policy", "cloud", "watch", "testkit"].flatMap((name) => {
    const { exports } = JSON.parse(read(`packages/${name}/package.json`)) as { exports: Record<string, string> };
    return Object.entries(exports)
      .filter(([path]) => !path.startsWith("./internal/"))
      .flatMap(([, source]) => [...exportsOf(join("packages", name, source), read).values()])
      .map((found): [string, string] => [found.name, found.file]);
  }),
);

/** Every word of code in a cell. */
const wordsIn = (cell: string): string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, code = ""]) =>
    [...code.matchAll(/[A-Za-z_]\w*/g)].map(([word]) => word),
  );
const isName = (word: string): boolean => declaredIn.has(word) || word in exitCodes;
const has = (text: string, word: string): boolean => new RegExp(`\\b${word}\\b`).test(text);

/** What both packages export, with the members that callers use. */
const ofFlux: Readonly<Record<"pkg/registry" | "The package of the first year", string>> = {
  "pkg/registry": `EKS_SYSTEM_ACCOUNT EKS_SYSTEM_ACCOUNT_CN LabelRequestKind RequestKindTags RequestKindMetadata ErrNoImageData ErrImageScanDisabled
    GetGCPOauthToken ImageCredsWithAWSAuth ImageCredsWithDefaults AWSRegistryConfig Regions AccountIDs BlockIDs Client Tags Manifest
    NewInstrumentedClient ClientFactory ClientFor Credentials NoCredentials ParseCredentials Hosts Merge String Excluded ExcludedReason ImageCreds
    ImageEntry MarshalJSON UnmarshalJSON ImageScanDisabledRegistry GetImage GetImageRepositoryMetadata Registry NewInstrumentedRegistry Remote
    RemoteClientFactory Logger Limiters Trace InsecureHosts Succeed`,
  "The package of the first year": `LabelRequestKind RequestKindTags RequestKindMetadata ErrTimeout BackoffRoundTripper NewMockDockerClient Cache
    CachedDockerRegistry NewCache Credentials CredentialsFromConfig NoCredentials Hosts InstrumentedRegistry NewInstrumentedRegistry
    InstrumentedRemote MemcacheClient Add CompareAndSwap Decrement Delete DeleteAll FlushAll Get GetMulti Increment Replace Set Touch Stop
    InstrumentMemcacheClient NewMemcacheClient MemcacheConfig Host Service Timeout UpdateInterval Logger Registry GetRepository GetImage NewRegistry
    Remote Tags Manifest Cancel NewInstrumentedRemote RemoteClientFactory NewMockRemoteFactory NewRemoteClientFactory Repository ParseRepository
    RepositoryFromImage NamespaceImage String`,
};

test("the page has a row for everything that both packages export", () => {
  for (const [title, names] of Object.entries(ofFlux)) {
    const told = new Set(page.rowsBelow(title).flatMap(([what = ""]) => wordsIn(what)));
    const lacking = names.split(/\s+/).filter((name) => !told.has(name));
    assert.deepEqual(lacking, [], title);
  }
});

test("each row leads to a name that is exported, with the words that it has there, and to tests that have it", () => {
  const wrong: string[] = [];
  let rows = 0;
  for (const title of titles)
    for (const [what = "", here = "", shown = ""] of page.rowsBelow(title)) {
      rows++;
      const words = wordsIn(here);
      const names = words.filter(isName);
      const tests = page.testsOf(shown);
      const lost = tests.filter((path) => !page.isThere(path));
      if (names.length === 0 || tests.length === 0 || lost.length > 0) {
        wrong.push(`${what}: no name, or no test (${lost.join(", ")})`);
        continue;
      }
      const tested = tests.map((path) => page.textOf(path)).join("\n");
      if (!words.some((word) => has(tested, word))) wrong.push(`${what}: its tests have none of ${words.join(", ")}`);
      const declared = names.map((name) => read(declaredIn.get(name) ?? "packages/dray/src/errors.ts")).join("\n");
      for (const word of words)
        if (!isName(word) && !has(declared, word) && !has(tested, word))
          wrong.push(`${what}: nothing here has ${word}`);
    }
  assert.deepEqual(wrong, []);
  assert.ok(rows > 45);
});

test("each difference has its reason, and a test that is there", () => {
  const rows = page.rowsBelow("What is done otherwise");
  assert.ok(rows.length > 8);
  assert.deepEqual(unfounded(page, rows), []);
});
