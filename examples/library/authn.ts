import { chain, connect, dockerConfig, environment, isDrayError, type Keychain } from "dray";

/** Passwords of a vault first, then what variables say, then what docker and podman have; an error ends the search. */
export const ourKeychain = (vault: Keychain, env: NodeJS.ProcessEnv): Keychain =>
  chain(vault, environment(env), dockerConfig({ env }));

/** Whether a keychain's credentials are those that a registry wants. */
export const letsIn = async (host: string, credentials: Keychain): Promise<boolean> => {
  const registry = connect(host, { credentials });
  try {
    return (await registry.ping()).asked;
  } catch (error) {
    if (isDrayError(error, "UNAUTHORIZED")) return false;
    throw error;
  } finally {
    await registry.close();
  }
};
