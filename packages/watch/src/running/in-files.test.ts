import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import type { FileReferences } from "@dray/references";
import { temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "dray/errors";
import { filesBelow, runningInFiles } from "./index.ts";

const folder = (files: Record<string, string>): string => {
  const root = temporaryFolder("running");
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
};

const all = async (...paths: string[]): Promise<FileReferences[]> => Array.fromAsync(filesBelow(paths));

const digest = `sha256:${"0".repeat(64)}`;

describe("what runs, by files", () => {
  test("files below a folder: those of others, links and what has no images are passed over; variables come from .env", async () => {
    const root = folder({
      "compose.yml": "services:\n  a: {image: 'nginx:${TAG:-1}'}\n  b: {image: redis:8}\n  c: {image: $NOBODY}\n",
      ".env": "TAG=1.27\n",
      "sub/Dockerfile": `FROM redis:8 AS x\nFROM y.test/z@${digest}\nFROM x\n`,
      "node_modules/x/Dockerfile": "FROM no:1\n",
      "notes.txt": "nginx:1\n",
      "broken.yml": "a: [\n",
      "pod.yml": "kind: Pod\napiVersion: v1\nspec: {containers: [{image: ok:1}]}\n---\nspec: {image: [}\n",
      "values.yaml": "image: {repository: by/appversion, pullPolicy: Always}\n",
    });
    symlinkSync(join(root, "sub"), join(root, "link"));
    const files = await all(root);
    assert.deepEqual(
      files.map(({ name }) => name.slice(root.length + 1)),
      ["compose.yml", "pod.yml", "sub/Dockerfile", "values.yaml"],
    );
    assert.deepEqual(
      files.map(({ faults }) => faults.length),
      [0, 1, 0, 0],
    );
    const images = runningInFiles(files);
    assert.deepEqual(
      images.map(({ image, digests, places, reference }) => [
        image,
        reference.tag,
        digests.length,
        places.map((place) => place.slice(root.length + 1)),
      ]),
      [
        ["nginx:${TAG:-1}", "1.27", 0, ["compose.yml:2:15"]],
        ["redis:8", "8", 0, ["compose.yml:3:14", "sub/Dockerfile:1:6"]],
        ["ok:1", "1", 0, ["pod.yml:3:29"]],
        [`y.test/z@${digest}`, undefined, 1, ["sub/Dockerfile:2:6"]],
      ],
    );
  });

  test("a path that is named and is not there is an error; a file that is named comes out whatever it is", async () => {
    const root = folder({ "x.yml": "a: [\n" });
    await assert.rejects(all(join(root, "gone.yml")), (error) => isDrayError(error, "NOT_FOUND"));
    assert.equal((await all(join(root, "x.yml")))[0]?.faults.length, 1);
  });
});
