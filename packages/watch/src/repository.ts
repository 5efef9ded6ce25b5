import { canonical, parseReference, type Reference, parseRepository as readRepository } from "dray/oci";

/**
 * A repository by its canonical name: however it is written, it is one, so that what is known of `alpine` is known of
 * `index.docker.io/library/alpine`. Answers to a person use the form that was asked for.
 */
export interface Repository {
  /** Host and optional port; every name of Docker Hub is `docker.io`. */
  readonly host: string;
  /** The path on that host, `library/` included where Docker Hub implies it. */
  readonly namespaceImage: string;
  /** Both: `docker.io/library/alpine`. */
  readonly text: string;
}

/**
 * Reads the name of a repository.
 * @throws InvalidReferenceError where there is a scheme, a tag, a digest or no name.
 * @example parseRepository("alpine").text // "docker.io/library/alpine"
 */
export const parseRepository = (text: string): Repository => named(readRepository(text));

/**
 * The repository of an image, whatever its tag or digest.
 * @param image a reference, or its text.
 * @throws InvalidReferenceError for text that is no reference.
 * @example repositoryFromImage("quay.io/team/app:1.2").namespaceImage // "team/app"
 */
export const repositoryFromImage = (image: Reference | string): Repository =>
  named(typeof image === "string" ? parseReference(image) : image);

/** The image of a repository that a tag names. @example imageOf(parseRepository("alpine"), "3.22") */
export const imageOf = ({ host, namespaceImage }: Repository, tag: string): Reference => ({
  registry: host,
  repository: namespaceImage,
  tag,
});

const named = ({ registry, repository }: Reference): Repository => ({
  host: registry,
  namespaceImage: repository,
  text: canonical({ registry, repository }),
});
