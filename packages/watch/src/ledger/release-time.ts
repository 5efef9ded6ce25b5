import { knownTime } from "@dray/policy";
import { type ImageInfo, labelTimes } from "../entry/index.ts";

/**
 * Who says when an image was released, the first that is known counts:
 * - `label`, `annotation`: `org.opencontainers.image.created` of its labels and of its annotations, then `org.label-schema.build-date`;
 * - `configuration`: `created` of its configuration;
 * - `registry`: when it was pushed, by the registry's own API;
 * - `last-modified`: the header of that name with which the registry gives it;
 * - `first-seen`: when a look found it first.
 * Whoever builds an image can write anything into the first three; the others nobody can who only pushes.
 */
export const timeSources = ["label", "annotation", "configuration", "registry", "last-modified", "first-seen"] as const;

export type TimeSource = (typeof timeSources)[number];

/** What the file has of a digest. Milliseconds since 1970. */
export type KnownTimes = Readonly<Partial<Record<"registry" | "last-modified" | "first-seen", number>>>;

/** When an image was released. */
export interface ReleaseTime {
  /** RFC 3339 in UTC, to the second. */
  readonly time: string;
  readonly source: TimeSource;
}

/**
 * When an image was released, and who says so; `undefined` where nobody knows. 1970, 1980 and other dates that reproducible builds write are no
 * times, nor is what lies ahead.
 * @param known what the registry says, and when it was first seen
 * @param trusted only sources that whoever builds the image cannot make up
 * @example releaseTime({ info, known: timesOf(file.statements, "docker.io/library/alpine", digest), now: Date.now() })
 */
export const releaseTime = ({
  info,
  known = {},
  now,
  trusted = false,
}: {
  readonly info?: Pick<ImageInfo, "labels" | "annotations" | "createdAt"> | undefined;
  readonly known?: KnownTimes | undefined;
  readonly now: number;
  readonly trusted?: boolean | undefined;
}): ReleaseTime | undefined => {
  const said: Readonly<Partial<Record<TimeSource, string | number | undefined>>> = {
    ...(trusted ? {} : ofImage(info)),
    ...known,
  };
  for (const source of timeSources) {
    const time = knownTime(said[source], now);
    if (time !== undefined) return { time: `${new Date(time).toISOString().slice(0, 19)}Z`, source };
  }
  return undefined;
};

const ofImage = (
  info: Pick<ImageInfo, "labels" | "annotations" | "createdAt"> | undefined,
): Partial<Record<TimeSource, string | undefined>> => {
  if (info === undefined) return {};
  const { labels, annotations, createdAt } = info;
  const [ofLabels, ofAnnotations] = [
    labelTimes({ labels: labels ?? {} }),
    labelTimes({ annotations: annotations ?? {} }),
  ];
  return {
    label: ofLabels.created ?? ofLabels.buildDate,
    annotation: ofAnnotations.created ?? ofAnnotations.buildDate,
    configuration: createdAt,
  };
};
