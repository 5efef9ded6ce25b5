import type { Memory } from "@dray/service/memory";
import type { Access } from "./access/index.ts";
import type { CompleteIndexes } from "./blobs/index.ts";
import type { Notice } from "./notice.ts";
import type { Driver } from "./storage/index.ts";

/** What a registry is made of. Without more than a driver: everything the specification has, open to whoever can reach it. */
export interface RegistryOptions {
  readonly driver: Driver;
  /** The file of the index, on a local file system; default `:memory:`, which is rebuilt with each start. */
  readonly index?: string;
  /** Default: anybody anything. */
  readonly access?: Access;
  /** `false`: deleting anything answers 405. Default `true`. */
  readonly deletes?: boolean;
  /** `true`: only reading; may be changed while it runs by `setReadOnly`. Default `false`. */
  readonly readOnly?: boolean;
  /** Bytes of the largest manifest; default 4 MiB, and 413 beyond. */
  readonly largestManifest?: number;
  /** Bytes of the largest manifest that is served, whoever wrote it; default 16 MiB. */
  readonly largestServed?: number;
  /** `true`: an image whose configuration or layers are not there is taken. Default `false`: MANIFEST_BLOB_UNKNOWN names each. */
  readonly sparseImages?: boolean;
  /** Which manifests an index must have here: of these platforms, `all`, or `none`, which is the default. An empty list is `all`. */
  readonly completeIndexes?: CompleteIndexes;
  /** Names in a page at most. Default 1000 each. */
  readonly pages?: { readonly tags?: number; readonly catalog?: number; readonly referrers?: number };
  /** How `Location` begins. Default: relative, without a prefix. */
  readonly locations?: {
    /** `https://registry.example:5000`; makes them absolute. */
    readonly host?: string;
    /** Path before `/v2/`, as `/registry`. */
    readonly prefix?: string;
    /** `false`: absolute, from the request's own origin. Default `true`. */
    readonly relative?: boolean;
  };
  /** Milliseconds after which a remembered tag or digest is checked against the tree again. Default 2000. */
  readonly recheckAfter?: number;
  /** Bytes of manifests and lists kept in memory. Default 64 MiB. */
  readonly memory?: number;
  /** The memory of bodies and answers, shared with the listener. Default: one of its own. */
  readonly traffic?: Memory;
  /** Counts how often manifests are asked for, and how often memory answers. */
  readonly counts?: { requests: number; hits: number };
  readonly uploads?: {
    /** Sessions that nobody added to for so long are removed; milliseconds, default 7 days. */
    readonly age?: number;
    /** Silence after which another writer takes over; milliseconds, default 5000. */
    readonly silence?: number;
  };
  readonly gc?: {
    /** What is younger stays; milliseconds, default 24 h. */
    readonly grace?: number;
    /** How long a promise of a blob lasts; milliseconds, default 1 h. */
    readonly lease?: number;
    /** Manifests without a tag go after so many milliseconds; default: never. */
    readonly untagged?: number;
    /** Milliseconds between two runs; default: none by itself. */
    readonly interval?: number;
    /** Part of the time that a run may work, so that requests have the rest. Default 1/3. */
    readonly share?: number;
  };
  /** Verification that an operator or the clock begins. */
  readonly verify?: {
    /** Bytes that are read in a second at most; 0: no bound but half of the time. Default 100 MiB. */
    readonly rate?: number;
    /** Milliseconds between two runs; default: none by itself. */
    readonly interval?: number;
  };
  /** How many bytes repositories may take, as `team/**=50GiB`; the first that matches counts. Default: none is limited. */
  readonly quotas?: readonly string[];
  /** Bytes that must stay free, below which pushes get 503. Default 0. */
  readonly freeSpace?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Milliseconds that go on evenly, whatever the system's clock is set to. Default: the process's own; `now` where that is given. */
  readonly elapsed?: () => number;
  /** Hears what an operator should know: failed writes of the metadata, damaged content, what was collected. */
  readonly onNotice?: (notice: Notice) => void;
}
