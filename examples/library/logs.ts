import { type ConnectOptions, connect, copy, memoryStore, type ProgressEvent } from "dray";

/** Fetches an image and tells of it as it happens: what was planned and done, and each request without its credentials. */
export const fetchLoudly = async (
  { host, name, tag }: { host: string; name: string; tag: string },
  log: (line: string) => void,
  options: ConnectOptions = {},
): Promise<void> => {
  const registry = connect(host, {
    ...options,
    trace: ({ method, url, status, duration }) => log(`${method} ${new URL(url).pathname} ${status} ${duration} ms`),
  });
  const onEvent = (event: ProgressEvent): void => {
    if (event.type === "done") log(`done ${event.descriptor.digest}`);
    if (event.type === "retry" || event.type === "warning") log(event.type);
  };
  const target = { store: memoryStore(), name: tag, location: "memory" };
  const source = { store: registry.repository(name), name: tag, location: `${host}/${name}:${tag}` };
  try {
    await copy(source, target, { onEvent });
  } finally {
    await registry.close();
  }
};
