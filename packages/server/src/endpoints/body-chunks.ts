import { detach } from "dray/content";
import { type HttpRequest, isContent } from "dray/http";

/** What broke a request's body: the client's trouble, not ours. */
const clients = new WeakSet<object>();

/**
 * The bytes of a request, none where it has no body. The client is told to go on at the first read, so that what is refused before
 * costs it no upload.
 * @param options.releases whoever reads is done with a chunk when it asks for the next: memory that came from a socket goes back
 *   at once, because a collector learns late how much of it lies about
 */
export async function* bodyChunks(
  { body, proceed, signal }: HttpRequest,
  { releases = false }: { releases?: boolean } = {},
): AsyncGenerator<Uint8Array> {
  if (body === undefined) return;
  proceed?.();
  try {
    if (isContent(body)) yield* body.open(signal === undefined ? {} : { signal });
    else
      for await (const chunk of body.chunks) {
        yield chunk;
        if (releases) detach(chunk);
      }
  } catch (error) {
    if (error instanceof Error) clients.add(error);
    throw error;
  }
}

/** Whether an error came out of the body of a request: then nobody is left to answer, or somebody in this process wants to have it. */
export const isOfClient = (error: unknown): boolean => error instanceof Error && clients.has(error);
