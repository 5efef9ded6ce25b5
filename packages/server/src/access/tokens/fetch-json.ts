import { collect } from "dray/content";
import { DrayError } from "dray/errors";
import { connection } from "dray/http";
import { parseJson } from "dray/oci";
import type { FetchJson } from "./remote-keys.ts";

/** Bytes of a set of keys at most. */
const largest = 1024 * 1024;

/** A JSON document at a URL, such as the keys of a token service. Follows nowhere: who signs is where the operator said. */
export const fetchJson: FetchJson = async (url, { signal }) => {
  const { origin, hostname, pathname, search } = new URL(url);
  // The operator named it, so it may be a neighbour.
  const send = connection({ allowPrivate: [hostname] });
  try {
    const request = {
      method: "GET",
      origin,
      target: pathname + search,
      headers: [["Accept", "application/json"]],
      signal,
    } as const;
    const { status, body } = await send(request);
    const bytes = await collect(body.chunks, largest, url);
    if (status !== 200) throw new DrayError("NETWORK", `${url} answered ${status}`);
    return parseJson(bytes, url);
  } finally {
    await send.close();
  }
};
