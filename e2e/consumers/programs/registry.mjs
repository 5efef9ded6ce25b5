/** A large image from memory to the registry in HOST, and from there into a directory. */
import assert from "node:assert/strict";
import { copy, open, validate } from "dray";
import { randomImage } from "./image.mjs";

const main = async () => {
  const image = await randomImage();
  const source = { store: image.store, name: image.root.digest, location: "memory" };
  const there = `${process.env.HOST}/consumers/${image.root.digest.slice(7, 19)}:v1`;
  await copy(source, await open(there));
  const { root } = await copy(await open(there), await open("oci:./pulled:v1"));
  assert.equal(root.digest, image.root.digest);
  const { store, name } = await open("oci:./pulled:v1");
  assert.deepEqual((await validate(store, await store.resolve(name))).findings, []);
  console.log("pushed and pulled");
};

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
