import type { DrayError } from "dray/errors";
import type { Reference } from "dray/oci";
import type { Variable } from "./variables/index.ts";

/** A kind of file that is understood. A stack of docker swarm is a `compose` file. */
export type FileKind =
  | "compose"
  | "devcontainer"
  | "dockerfile"
  | "github-actions"
  | "gitlab-ci"
  | "helm-chart"
  | "helm-values"
  | "images-lock"
  | "kubernetes"
  | "kustomization"
  | "list"
  | "quadlet";

/** Which sort of place a reference stands in. */
export type PlaceKind =
  /** A container, init container or ephemeral container of Kubernetes. */
  | "container"
  /** A volume of Kubernetes that is an image. */
  | "volume"
  /** A field `image` of a custom resource, outside of a list of containers. */
  | "resource"
  /** A service of compose or of a stack. */
  | "service"
  /** What a service is called when it has been built: nothing that is pulled. */
  | "built"
  /** `FROM` of a Dockerfile. */
  | "base"
  /** `COPY --from`. */
  | "copy"
  /** `RUN --mount=from=`. */
  | "mount"
  /** `# syntax=` of a Dockerfile. */
  | "syntax"
  /** A value of a Helm chart: one text, or parts in a map. */
  | "value"
  /** The annotation of a chart that lists its images. */
  | "annotation"
  /** An entry of `images` of a kustomization. */
  | "kustomize-image"
  /** The container that a job runs in. */
  | "job"
  /** A service beside a job. */
  | "job-service"
  /** A step that is an image: `uses: docker://…`. */
  | "step"
  /** The image of a development container. */
  | "devcontainer"
  /** A feature of a development container. */
  | "feature"
  /** An entry of an ImagesLock or a BundleLock. */
  | "lock"
  /** A line of a list. */
  | "line"
  /** `Image=` of a unit of podman. */
  | "unit";

/** One text of a reference: all of it, or a part where it is spread over a map. */
export interface WrittenPart {
  readonly part: "reference" | "registry" | "repository" | "tag" | "digest";
  /** In bytes of the file as it is, inside of quotes. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
  /** A `plain` scalar of YAML may need quotes for another text; what is `quoted` or `literal` takes any reference as it is. */
  readonly style: "plain" | "quoted" | "literal";
}

/** A reference of an image, and where in a file it stands. */
export interface FoundReference {
  readonly kind: PlaceKind;
  /** In bytes of the file as it is: where `text` begins, of a map where its repository does. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
  /** As it is written, its variables among it; of a map its parts put together. */
  readonly text: string;
  /** What it comes to, by the defaults of its variables. Missing where one has none. Without a tag where the file leaves that to others. */
  readonly reference?: Reference;
  /** Counted from 1. */
  readonly line: number;
  /** In characters, counted from 1. */
  readonly column: number;
  /** Where in the document: `services.web.image`, `spec.containers[0].image`, `FROM`. */
  readonly path: string;
  /** Whether another reference may be written in its place. One with variables cannot. */
  readonly rewritable: boolean;
  /** What its text leaves to others, with what each comes to here. */
  readonly variables?: readonly Variable[];
  /** Where it is written: one part `reference`, or those of a map. */
  readonly parts: readonly WrittenPart[];
}

/** What was found in a file. */
export interface FileReferences {
  readonly name: string;
  /** Missing where it is none of the kinds: then nothing was looked for. */
  readonly kind?: FileKind;
  /** In the order of the file. */
  readonly references: readonly FoundReference[];
  /** What cannot be read, each with `name:line:column`: a document, or a text where a reference has to stand. What is beside it was found. */
  readonly faults: readonly DrayError[];
}
