import { glob } from "@dray/policy";
import { type Clock, systemClock } from "dray/http";
import { labelTimes } from "../entry/index.ts";
import { parseRepository, type Repository, repositoryFromImage } from "../repository.ts";
import type { KnownImage, Registry } from "./registry.ts";
import { sorted } from "./sorted.ts";

/**
 * A registry that takes the time of creation from the labels of images, for repositories whose canonical name fits one of the globs: that of
 * `org.opencontainers.image.created`, else of `org.label-schema.build-date`; images without either keep theirs. Docker Hub may be written
 * `docker.io` or `index.docker.io`.
 * @throws DrayError `USAGE` for a glob that is none
 * @example withLabelTimes(registry, ["docker.io/fluxcd/*", "quay.io/team/*"])
 */
export const withLabelTimes = (
  registry: Registry,
  globs: readonly string[],
  { clock = systemClock }: { readonly clock?: Pick<Clock, "now"> | undefined } = {},
): Registry => {
  const fits = globs.map((each) => glob(each));
  const isMeant = ({ text }: Repository): boolean => {
    const older = text.replace(/^docker\.io\//, "index.docker.io/");
    return fits.some((fit) => fit(text) || fit(older));
  };
  const getRepositoryMetadata: Registry["getRepositoryMetadata"] = async (asked) => {
    const found = await registry.getRepositoryMetadata(asked);
    if (!isMeant(found.repository)) return found;
    return { ...found, images: new Map([...found.images].map(([tag, image]) => [tag, byLabels(image)])) };
  };
  return {
    getRepositoryMetadata,
    getImage: async (asked) => {
      const image = await registry.getImage(asked);
      return isMeant(repositoryFromImage(asked)) ? byLabels(image) : image;
    },
    images: async (asked, options = {}) => {
      const repository = typeof asked === "string" ? parseRepository(asked) : asked;
      if (!isMeant(repository)) return registry.images(asked, options);
      return sorted((await getRepositoryMetadata(asked)).images, options.sort ?? "created", clock.now());
    },
  };
};

const byLabels = (image: KnownImage): KnownImage => {
  const { created, buildDate } = labelTimes(image);
  const createdAt = created ?? buildDate;
  return createdAt === undefined ? image : { ...image, createdAt };
};
