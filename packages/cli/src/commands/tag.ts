import { namesReferences } from "dray/content";
import { DrayError } from "dray/errors";
import { formatReference, isTag, parseReference, type Reference } from "dray/oci";
import type { Act, Define } from "../context.ts";
import { opened } from "../images.ts";
import { commandElsewhere } from "../synonyms.ts";

export const define: Define = (command) =>
  command
    .argument("<image>", "a reference, or a location such as oci:DIR:NAME or docker-daemon:NAME")
    .argument("<tag>", "the further name in the same repository");

export const examples: readonly string[] = ["dray tag registry.example.com/team/app:1.0 stable"];

export const act: Act = async (call, [image = "", tag = ""]) => {
  const { signal } = call;
  if (!isTag(tag)) throw new DrayError("REFERENCE_INVALID", `tag "${tag}": ${tagFault(image, tag)}`);
  const { store, name, location } = await opened(call, image);
  const root = await store.resolve(name, { signal });
  await store.tag(root, name !== "" && namesReferences(store) ? besides(name, tag) : tag, { signal });
  await store.close();
  call.reporter.summary(`tagged ${location} as ${tag}: ${root.digest}`, { root: root.digest, tag });
};

/** The tag in the repository of an image, where names are whole references. */
const besides = (name: string, tag: string): string => {
  if (/^(?:sha256:)?[0-9a-f]{12,64}$/.test(name))
    throw new DrayError("USAGE", `${name} is the ID of an image, which lies in no repository; name one of its tags`);
  const { registry, repository } = parseReference(name);
  return formatReference({ registry, repository, tag });
};

const parsed = (text: string): Reference | undefined => {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
};

/** Other tools list tags by this word, and tag from one repository to another. */
const tagFault = (image: string, tag: string): string => {
  const elsewhere = commandElsewhere(`tag ${image}`);
  if (elsewhere !== undefined) return `is no tag; ${elsewhere}`;
  const [source, target] = [parsed(image), parsed(tag)];
  if (target?.tag !== undefined && target.registry === source?.registry && target.repository === source.repository)
    return `the repository is that of the image, so the tag alone is enough: dray tag ${image} ${target.tag}`;
  if (tag.includes("/")) return `a tag is given in the same repository; a copy is made by dray copy ${image} ${tag}`;
  return "letters, digits, _ . and -, not beginning with . or -; at most 128";
};
