import type { Engine, EngineImageEntry } from "dray/daemon";
import { defined } from "dray/internal/defined";
import { isIdentifier } from "dray/oci";
import { policyOfLabels } from "./labels.ts";
import { readableReference } from "./readable-reference.ts";
import { merged, type RunningImage } from "./running-image.ts";

/** Which containers are looked at. */
export interface RunningInEngineOptions {
  /** Those that do not run, as well. Default `false`. */
  readonly all?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Hears of a container that is left out, and of labels that make no sense. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/**
 * The images of an engine's containers that run, with the digests that registries know them under, and what labels of Diun, WUD and Watchtower say of
 * them. Two requests, and one more for each container whose name has gone to another image. A container of an image without a name is left out, and named to `onWarning`.
 * @example const images = await runningInEngine(connectEngine());
 */
export const runningInEngine = async (
  engine: Pick<Engine, "containers" | "list">,
  options: RunningInEngineOptions = {},
): Promise<RunningImage[]> => {
  const { all, signal, onWarning } = options;
  const [containers, images] = await Promise.all([engine.containers.list({ all, signal }), engine.list({ signal })]);
  const byId = new Map(images.map((image) => [image.id, image]));
  /** What it was made of, where its name has gone to another image meanwhile. */
  const nameOf = async (id: string, known: EngineImageEntry | undefined): Promise<string | undefined> => {
    const { config } = await engine.containers.inspect(id, { signal });
    const said = config["Image"];
    return typeof said === "string" && !isImageId(said) ? said : (known?.names[0] ?? known?.digests[0]);
  };
  const running: RunningImage[] = [];
  for (const { id, name, image, imageId, labels } of containers) {
    const known = byId.get(imageId);
    const asked = isImageId(image) ? await nameOf(id, known) : image;
    const reference = asked === undefined ? undefined : readableReference(asked);
    if (asked === undefined || reference === undefined) {
      onWarning?.(`container ${name}: its image ${image} has no name in a registry; it is left out`);
      continue;
    }
    const named = (known?.digests ?? []).flatMap((each) => {
      const other = readableReference(each);
      const isSame = other?.registry === reference.registry && other.repository === reference.repository;
      return isSame && other.digest !== undefined ? [other.digest] : [];
    });
    // Where its name has gone to another image, the engine has forgotten the registry, and not the digest.
    const digests = [reference.digest, ...(named.length > 0 ? named : [known?.digest])];
    const said = policyOfLabels(labels, reference.tag);
    for (const warning of said.warnings) onWarning?.(`container ${name}: ${warning}`);
    running.push(
      defined<RunningImage>({
        image: asked,
        reference,
        digests: [...new Set(digests)].filter((each) => each !== undefined),
        places: [`container ${name}`],
        policy: said.policy,
        isLeftAlone: said.isLeftAlone,
      }),
    );
  }
  return merged(running);
};

const isImageId = (text: string): boolean => isIdentifier(text.replace(/^sha256:/, ""));
