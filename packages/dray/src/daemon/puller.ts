import type { Keychain } from "../auth/index.ts";
import { isDrayError } from "../errors.ts";
import { parseReference } from "../oci/index.ts";
import type { Engine } from "./engine.ts";
import type { EngineCall, EngineImage, EngineTransfer } from "./images.ts";

/** Images in an engine: whether one is there, and how it gets there. */
export interface Puller {
  /** Has the engine fetch an image, with the credentials for its registry. @throws DrayError as `Engine.pull` */
  pull(image: string, options?: EngineCall): Promise<EngineImage>;
  isImagePresent(image: string, options?: EngineCall): Promise<boolean>;
}

/** How a puller comes to credentials, and what it pulls. */
export interface PullerOptions extends Pick<EngineTransfer, "skipTlsVerify"> {
  /** Asked for each image. Default: anonymous. */
  readonly credentials?: Keychain | undefined;
  /** `linux/arm64`. Default: the engine's own. */
  readonly platform?: string | undefined;
}

/**
 * Pulls images into an engine with credentials that the engine does not have.
 * @example
 * const { pull, isImagePresent } = puller(connectEngine(), { credentials: dockerConfig() });
 * if (!(await isImagePresent("ghcr.io/acme/app:1"))) await pull("ghcr.io/acme/app:1");
 */
export const puller = (engine: Engine, { credentials, platform, skipTlsVerify }: PullerOptions = {}): Puller => ({
  pull: async (image, options = {}) => {
    const { registry, repository } = parseReference(image);
    const credential = await credentials?.({ registry, repository }, { signal: options.signal });
    return engine.pull(image, { ...options, credentials: credential, platform, skipTlsVerify });
  },
  isImagePresent: async (image, options) => {
    try {
      await engine.inspect(image, options);
      return true;
    } catch (error) {
      if (isDrayError(error, "NOT_FOUND")) return false;
      throw error;
    }
  },
});
