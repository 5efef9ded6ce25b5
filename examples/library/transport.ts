import { type ConnectOptions, connect, isDrayError, type Middleware } from "dray";

/** Whether a registry is there and lets us in, how long it took, and what went over the wire. */
export const reach = async (host: string, options: ConnectOptions): Promise<{ said: string; asked: string[] }> => {
  const asked: string[] = [];
  const watch: Middleware = (next) => async (request) => {
    const response = await next(request);
    asked.push(`${request.method} ${request.target.split("?")[0]} ${response.status}`);
    return response;
  };
  const registry = connect(host, { ...options, middleware: watch, retry: { attempts: 2 } });
  try {
    await registry.ping();
    const { text } = await registry.token(["repository:team/app:pull"]);
    return { said: text === "" ? "no token" : "welcome", asked };
  } catch (error) {
    if (isDrayError(error, "UNAUTHORIZED", "NETWORK", "TLS")) return { said: error.code, asked };
    throw error;
  } finally {
    await registry.close();
  }
};
