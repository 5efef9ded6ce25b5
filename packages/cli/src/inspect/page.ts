import { formatBytes, plural } from "@dray/service/figures";
import { printable } from "dray/errors";
import { type Screen, shortened } from "../screen.ts";
import { detailsOf, labelOf, type TreeNode } from "../tree/index.ts";
import type { Inspected, InspectedImage, InspectedLayer } from "./inspect.ts";

/**
 * The page: a heading and what it says, what belongs to it below. On a terminal lists are cut to it, and what is said once is left whole:
 * a digest or label that is copied from there has to be. A digest stands below its heading where the line would break in its midst.
 */
export const drawPage = (inspected: Inspected, screen: Screen): string[] => {
  const { names, digest, mediaType, size, artifactType, annotations, platforms, image, referrers } = inspected;
  const list = (heading: string, lines: readonly string[] = []): string[] =>
    block(heading, lines).map((line) => shortened(line, screen));
  const referrer = (each: TreeNode): string => {
    const about = platforms?.find((platform) => platform.digest === each.about)?.platform;
    return about === undefined ? node(each) : `${labelOf(each)}  ${each.digest}  about ${about}`;
  };
  return [
    ...names.map((name, i) => row(i === 0 ? "Name" : "", name)),
    ...whole(row("Digest", digest), screen),
    row("Type", `${mediaType}, ${formatBytes(size)}`),
    ...(artifactType === undefined ? [] : [row("Artifact", artifactType)]),
    ...pairs("Annotations", annotations),
    ...list("Platforms", platforms?.map(node)),
    ...(image === undefined
      ? []
      : ["", ...imageLines(image, platforms !== undefined).flatMap((line) => whole(line, screen))]),
    ...list("Layers", image?.layers.map(layerLine)),
    ...list("Referrers", referrers.map(referrer)),
  ];
};

/** Wide enough for each heading of a single line. */
const row = (heading: string, value: string): string =>
  printable((heading === "" ? "" : `${heading}:`).padEnd(12) + value);

/** A digest at the end of a line that does not fit stands below. */
const whole = (line: string, { isTTY, columns = line.length }: Screen): string[] =>
  isTTY === true && line.length > columns ? line.replace(/ {2,}(?=sha\d+:\S+$)/, "\n  ").split("\n") : [line];

const block = (heading: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`${heading}:`, ...lines.map((line) => printable(`  ${line}`))];

const pairs = (heading: string, members: Readonly<Record<string, unknown>> = {}): string[] =>
  block(
    heading,
    Object.entries(members).map(([name, value]) => `${name}: ${asText(value)}`),
  );

const node = (each: TreeNode): string => `${labelOf(each)}  ${each.digest}  ${detailsOf(each)}`;

const imageLines = (image: InspectedImage, isChosen: boolean): string[] => {
  const { digest, platform, contentSize, created, author, labels, config = {}, annotations, layers } = image;
  return [
    ...(isChosen ? [row("Image", [platform, digest].filter(Boolean).join("  "))] : []),
    ...(isChosen || platform === undefined ? [] : [row("Platform", platform)]),
    row("Size", `${formatBytes(contentSize)} in ${plural(layers.length, "layer")} and a configuration`),
    ...(typeof created === "string" ? [row("Created", created)] : []),
    ...(author ? [row("Author", asText(author))] : []),
    ...Object.entries(config).flatMap(([name, value]) => setting(name, value)),
    ...pairs("Labels", labels),
    ...(isChosen ? pairs("Annotations", annotations) : []),
  ];
};

/** Lists of variables, one below the other; of words, as they are run; of ports and volumes, their names. */
const setting = (name: string, value: unknown): string[] => {
  if (value === null || value === undefined || value === "" || value === false) return [];
  if (name === "Env" && Array.isArray(value)) return block(name, value.map(asText));
  if (name === "ExposedPorts" || name === "Volumes")
    return [row(name === "Volumes" ? name : "Ports", Object.keys(value).join(", "))];
  return [row(name, asText(value))];
};

const layerLine = ({ digest, size, createdBy, title }: InspectedLayer): string =>
  [digest, formatBytes(size).padStart(8), title ?? createdBy]
    .filter((part) => part !== undefined)
    .map(String)
    .join("  ");

const asText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
