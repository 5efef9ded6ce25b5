import { LruCache } from "../../async/index.ts";
import { DrayError, isDrayError, reasonOf, throwIfAborted } from "../../errors.ts";
import { type Clock, type HttpResponse, header } from "../../http/index.ts";
import { isDigest } from "../../oci/index.ts";
import { type Api, afterMirrors, type Call, type Elsewhere } from "../api.ts";
import { checkedAnswer, type Pull } from "./checked-answer.ts";
import { flowing, inTime } from "./patience.ts";
import { type MirroredRepository, type MirrorRule, placeIn, ruleFor } from "./rules.ts";

export interface MirroringOptions {
  /** As references name it. */
  readonly registry: string;
  readonly rules: readonly MirrorRule[];
  /** Connects to the registry that a mirror is; the same one for the same place. `last`: nobody is asked after it. */
  readonly reach: (place: MirroredRepository, last: boolean) => Api;
  readonly clock: Clock;
  readonly onWarning: (message: string) => void;
}

/** Milliseconds for which a mirror is left alone that is down, or lacks a repository: twice as long each time it is down again, up to half an hour. */
const restTime = 60_000;
const longestRest = 1_800_000;

/** Blobs of which is remembered who gave them. */
const mostGiven = 10_000;

/**
 * Reads from mirrors before a registry is asked. Only what is read for its own sake: nothing that a write asks on its way, and nothing of a
 * repository that was written to. One that lacks something, refuses, is down or gives other bytes is passed over, and left alone for a
 * while. Mirrors have no mirrors: a circle of them ends.
 */
export const mirroring = ({ registry, rules, reach, clock, onWarning }: MirroringOptions): Elsewhere => {
  const written = new Set<string>();
  /** Repositories that were asked for what a tag stands for: what is read by digest then belongs to it. */
  const byTag = new Set<string>();
  const resting = new Map<string, number>();
  /** How often in a row a mirror was down. */
  const downs = new Map<string, number>();
  /** Repositories that mirrors have turned out to have. */
  const there = new Set<string>();
  const given = new LruCache<string, MirroredRepository>(mostGiven);
  /** What places have in another size than was promised: either may be wrong, so they are asked for all else. */
  const unfit = new LruCache<string, true>(mostGiven);
  const doubted = new Set<string>();
  const told = new WeakMap<object, readonly string[]>();

  const rests = (place: MirroredRepository): boolean =>
    [place.host, keyOf(place)].some((key) => (resting.get(key) ?? 0) > clock.now());

  const leaveAlone = (place: MirroredRepository, { of, why, ever = false }: Omission): void => {
    const { host } = place;
    // Many may have asked it at the same time.
    const rested = resting.get(host) ?? 0;
    const isKnown = ever ? rested === Number.POSITIVE_INFINITY : rested > clock.now();
    if (of === "host" && isKnown) return;
    const before = of === "host" ? (downs.get(host) ?? 0) : 0;
    const rest = Math.min(restTime * 2 ** before, longestRest);
    resting.set(of === "host" ? host : keyOf(place), ever ? Number.POSITIVE_INFINITY : clock.now() + rest);
    if (of !== "host") return;
    downs.set(host, before + 1);
    onWarning(`the mirror ${host} of ${registry} is passed over${ever ? "" : ` for ${inMinutes(rest)}`}: ${why}`);
  };

  const tryAt = async (place: MirroredRepository, call: Call, pull: Pull): Promise<HttpResponse | Omission> => {
    try {
      const api = reach(place, false);
      const asked = callAt(place, call, pull, registry, api);
      const patient = { clock, host: place.host, signal: call.signal };
      const answer = await inTime(patient, async (signal) =>
        checkedAnswer(await api.send({ ...asked, signal }), pull, call),
      );
      if (pull.kind !== "blobs" || call.method !== "GET") return answer;
      const { body } = answer;
      const leave = (why: string): void => leaveAlone(place, { of: "host", why });
      const chunks = flowing(body.chunks, patient, leave);
      return { ...answer, body: { length: body.length, chunks, discard: () => body.discard() } };
    } catch (error) {
      throwIfAborted(call.signal);
      if (!isDrayError(error)) throw error;
      if (error.code === "DIGEST_MISMATCH") return { of: "host", why: error.message, ever: true };
      if (error.code === "SIZE_MISMATCH") {
        unfit.set(contentAt(place, pull.reference), true);
        return { of: "content", why: error.message };
      }
      return { of: lackedBy(error, pull, there.has(keyOf(place))), why: reasonOf(error) };
    }
  };

  return {
    ask: async (call) => {
      const { method, repository } = call;
      if (repository === undefined) return undefined;
      const rule = ruleFor(rules, `${registry}/${repository}`);
      if (method !== "GET" && method !== "HEAD") written.add(repository);
      const pull = pullOf(call);
      if (rule?.blocked === true && pull === undefined) throw blocked(registry, repository, rule);
      if (rule === undefined || pull === undefined || written.has(repository)) return undefined;
      if (!isDigest(pull.reference)) byTag.add(repository);
      const failures: string[] = [];
      told.set(call, failures);
      for (const mirror of rule.mirrors ?? []) {
        const place = placeIn(mirror, rule, `${registry}/${repository}`);
        if (place === undefined || rests(place) || !isMeant(mirror, pull, byTag.has(repository))) continue;
        if (unfit.get(contentAt(place, pull.reference)) === true) continue;
        if (call.retryBudget?.wasDrawn === true && given.get(pull.reference)?.mirror === mirror) continue;
        const answer = await tryAt(place, call, pull);
        if ("status" in answer) {
          there.add(keyOf(place));
          downs.delete(place.host);
          if (pull.kind === "blobs") given.set(pull.reference, place);
          return answer;
        }
        if (answer.of !== "content") leaveAlone(place, answer);
        failures.push(answer.why);
      }
      given.delete(pull.reference);
      // Its mirrors stand for what is blocked, as with podman.
      if (rule.blocked === true) throw afterMirrors(blocked(registry, repository, rule), failures);
      const last = rule.primary && placeIn(rule.primary, rule, `${registry}/${repository}`);
      if (last === undefined) return undefined;
      const api = reach(last, true);
      return api.send({ ...callAt(last, call, pull, registry, api), retryBudget: call.retryBudget });
    },
    told: (call) => told.get(call) ?? [],
    misled: (digest, sure = true) => {
      const place = given.get(digest);
      if (place === undefined) return doubted.delete(digest);
      given.delete(digest);
      doubted.add(digest);
      if (!sure) unfit.set(contentAt(place, digest), true);
      else leaveAlone(place, { of: "host", why: `what it gives as ${digest} is something else`, ever: true });
      return true;
    },
  };
};

/** What is not to be expected of a mirror after it has failed so. @param knows whether it has had something of the repository */
const lackedBy = ({ code, status = 0 }: DrayError, { kind }: Pull, knows: boolean): Omission["of"] => {
  if (code === "UNAUTHORIZED" || code === "DENIED") return "repository";
  // A limit, or a time-out, is about all of it; any other answer of this kind is about what was asked.
  const isAboutThis = status >= 400 && status < 500 && code !== "RATE_LIMITED" && status !== 408;
  if (!isAboutThis) return "host";
  return kind === "blobs" || knows ? "content" : "repository";
};

const inMinutes = (ms: number): string => (ms === restTime ? "a minute" : `${ms / 60_000} minutes`);

const keyOf = ({ host, repository }: MirroredRepository): string => `${host}/${repository}`;

const contentAt = ({ host }: MirroredRepository, digest: string): string => `${host} ${digest}`;

/** Why a mirror is passed over: what is not to be expected of it, and whether ever again. */
interface Omission {
  readonly of: "host" | "repository" | "content";
  readonly why: string;
  readonly ever?: boolean;
}

/**
 * What a call reads, where mirrors may be asked for it: nothing conditional, nothing that only asks whether it is there, as writes do, and nothing
 * that the caller has put together.
 */
const pullOf = ({ method, target, headers = [], scopes, repository, lookUp, ofCaller }: Call): Pull | undefined => {
  if ((method !== "GET" && method !== "HEAD") || typeof target !== "string") return undefined;
  if (lookUp === true || ofCaller === true) return undefined;
  if (scopes.length !== 1 || scopes[0] !== `repository:${repository}:pull`) return undefined;
  if (header(headers, "If-Match") !== undefined || header(headers, "If-None-Match") !== undefined) return undefined;
  const [, name, kind, reference = ""] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/?]+)$/.exec(target) ?? [];
  return name === repository && repository !== undefined
    ? { repository, kind: kind as Pull["kind"], reference }
    : undefined;
};

const isMeant = (
  { pulls = "all", capabilities = ["pull", "resolve"] }: MirroredRepository["mirror"],
  { reference }: Pull,
  byTag: boolean,
): boolean =>
  capabilities.includes(isDigest(reference) ? "pull" : "resolve") &&
  (pulls === "all" || (pulls === "tag-only") === byTag);

/** The same question, as it is put to a mirror: with patience and scopes of its own. */
const callAt = (
  { mirror, host, repository }: MirroredRepository,
  call: Call,
  { kind, reference }: Pull,
  registry: string,
  api: Api,
): Call => {
  const asking = mirror.namesOrigin === true ? `?ns=${encodeURIComponent(registry)}` : "";
  return {
    ...call,
    target: `${mirror.apiPath ?? "/v2"}/${repository}/${kind}/${reference}${asking}`,
    scopes: [`repository:${repository}:pull`],
    repository,
    reference: `${host.replace(/^https?:\/\//, "")}/${repository}${isDigest(reference) ? "@" : ":"}${reference}`,
    retryBudget: api.retryBudget(),
  };
};

const blocked = (registry: string, repository: string, { prefix, from = "option mirrors" }: MirrorRule): DrayError =>
  new DrayError("ADDRESS_REFUSED", `${registry}/${repository} is blocked: ${from} says so of "${prefix}"`, {
    registry,
  });
