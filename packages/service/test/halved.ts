import type { Handler } from "dray/http";

/** Answers "firstafter", of which the second half waits for `finish`. */
export const halved = (): { readonly handler: Handler; readonly finish: () => void } => {
  const gate = Promise.withResolvers<void>();
  return {
    finish: () => gate.resolve(),
    handler: async ({ target }) => ({
      status: 200,
      headers: [],
      url: target,
      body: {
        length: 10,
        chunks: (async function* () {
          yield new TextEncoder().encode("first");
          await gate.promise;
          yield new TextEncoder().encode("after");
        })(),
        discard: async () => {},
      },
    }),
  };
};
