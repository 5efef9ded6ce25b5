import { chooseTag, isCandidate, knownTime, newerThan, type Policy, readPolicy, stepOf } from "@dray/policy";
import { DrayError } from "dray/errors";
import { defined } from "dray/internal/defined";
import type { Digest } from "dray/oci";
import type { RunningImage } from "../running/index.ts";
import type { AskedOnce } from "./asked-repository.ts";
import type { NewestImage, OutdatedImage, RunsNow } from "./outdated-image.ts";

/** What is asked with. */
export interface Look {
  readonly repository: AskedOnce;
  readonly policy: Policy;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly signal: AbortSignal | undefined;
}

/** What holds for a tag that is a version, whatever the policy: by which the meaning of others is told. */
const versions = (): Promise<Policy> => readPolicy({});

/** Finds out about one image. @throws DrayError as its registry fails */
export const lookAt = async (image: RunningImage, look: Look): Promise<OutdatedImage> => {
  const { repository } = look;
  const { tag } = image.reference;
  const own = await ownDigests(image, repository);
  const meaning = await meaningFor(tag, own, look);
  const followed = tag ?? meaning;
  const running = defined<RunsNow>({ tag, digest: own[0], meaning });
  if (followed === undefined)
    throw new DrayError("NOT_FOUND", "it is named by its digest alone, which none of the newest versions has");
  const policy = await placing(look.policy, followed);
  const newer = newerThan(policy, followed);
  const isFollowed = !isOrdered(policy, followed);
  if (isFollowed && (await repository.digestOf(followed)) === undefined)
    throw new DrayError("NOT_FOUND", `its repository has no tag ${followed} any more`);
  const chosen = isFollowed
    ? followed
    : (
        await chooseTag(await repository.tags(), newer, {
          facts: (each) => repository.facts(each),
          now: look.now,
          ...defined<{ signal?: AbortSignal }>({ signal: look.signal }),
        })
      ).tag;
  const [first, ...others] = [...new Set([chosen, tag])].filter((each) => each !== undefined);
  for (const candidate of first === undefined ? [] : [first, ...others]) {
    const found = await stepTo(candidate, { image, own, running, look });
    if (found !== undefined) return found;
  }
  return { image, state: "current", running };
};

/** The same policy, in whose order what runs has its place although the filter would not let it in. */
const placing = async (policy: Policy, running: string): Promise<Policy> => {
  const { filterTags, ...rest } = policy.document;
  if (filterTags === undefined || policy.extracts || isCandidate(policy.judge(running))) return policy;
  const open = await readPolicy(rest);
  return { ...policy, judge: (tag, flavour) => (tag === running ? open : policy).judge(tag, flavour) };
};

/** Whether names put this tag into the policy's order, so that another one can be newer. */
const isOrdered = (policy: Policy, tag: string): boolean => {
  if (policy.document.tag !== undefined) return policy.document.tag !== tag;
  if (policy.isByTime) return true;
  const judged = policy.judge(tag);
  return isCandidate(judged) || judged.place !== undefined;
};

/** What runs; where nobody says it, what its tag names. */
const ownDigests = async ({ digests, reference: { tag } }: RunningImage, repository: AskedOnce): Promise<Digest[]> => {
  if (digests.length > 0 || tag === undefined) return [...digests];
  const now = await repository.digestOf(tag);
  return now === undefined ? [] : [now];
};

const meaningFor = async (tag: string | undefined, own: readonly Digest[], look: Look): Promise<string | undefined> => {
  const order = await versions();
  if (tag !== undefined && isOrdered(order, tag)) return undefined;
  const [digest] = own;
  return digest === undefined ? undefined : look.repository.meaningOf(digest, order);
};

interface From {
  readonly image: RunningImage;
  readonly own: readonly Digest[];
  readonly running: RunsNow;
  readonly look: Look;
}

/** What has the digest that runs is no update, whatever its tag. */
const stepTo = async (tag: string, { image, own, running, look }: From): Promise<OutdatedImage | undefined> => {
  const { repository, now } = look;
  const digest = await repository.digestOf(tag);
  if (digest === undefined) return undefined;
  if (await repository.isAmong(digest, own)) return undefined;
  const order = await versions();
  const meaning = isOrdered(order, tag) ? undefined : await repository.meaningOf(digest, order);
  const created = knownTime(await repository.createdAt(digest), now);
  // Where neither tag is a version, their meanings tell how far it is.
  const isMeant = running.meaning !== undefined && (meaning !== undefined || running.tag === undefined);
  const from = isMeant ? (running.meaning ?? "") : (running.tag ?? "");
  const step = stepOf({ tag: from, digest: own[0] ?? "" }, { tag: (isMeant ? meaning : undefined) ?? tag, digest });
  return {
    image,
    state: "outdated",
    running,
    newest: defined<NewestImage>({
      tag,
      digest,
      meaning,
      created: created === undefined ? undefined : new Date(created),
    }),
    ...(step === undefined ? {} : { step }),
  };
};
