/** Validates the layout `zstd`, whose layer is compressed by zstd, and says what is wrong with it. */
import { open, validate } from "dray";

const { store, name } = await open("oci:../zstd:v1");
try {
  const { findings } = await validate(store, await store.resolve(name));
  console.log(findings.map(({ message }) => message).join("; ") || "none");
} catch (error) {
  console.log(error.code ?? error);
}
