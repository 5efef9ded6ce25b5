import type { OnEvent } from "../content/index.ts";
import type { Descriptor, WantedPlatform } from "../oci/index.ts";

/** What is copied, and how. */
export interface CopyOptions {
  /** Only these, as `os/architecture[/variant]`: one copies the child itself, several make a trimmed index. */
  platforms?: readonly (string | WantedPlatform)[];
  /** Also what says something about the content: referrers, their referrers, and signatures by tag. Default: no. */
  referrers?: boolean;
  /**
   * Checks every digest: on the way even where the target does, and of what lies in a target's files already, so that damage there is
   * replaced. Default: no.
   */
  verify?: boolean;
  /** Writes nothing; the result says what would be done. */
  dryRun?: boolean;
  /**
   * Asks a target for every piece of content, also below manifests that it has, and writes each manifest again, and reads as `verify` what lies in a
   * target's files: mends what has lost some, or was damaged. Default: no, whoever has a manifest has what it names.
   */
  force?: boolean;
  /** Content to leave out, with all below it. */
  skip?: (descriptor: Descriptor) => boolean;
  /**
   * What becomes of uncompressed layers of a source that composes its manifests (an archive that docker saved), on the way to a target
   * that takes content before its digest is known (a registry). `"compressed"`: gzip, as docker pushes them, so the root is another than
   * the source's. `"estargz"`: the same as eStargz, of which single files can be read; the configuration is another one, too, since the tars are. `"as-is"`: every layer keeps the bytes that it has in the source. Default: `"compressed"`. What comes with manifests
   * of its own has digests that somebody may know and is never changed. A dry run compresses nothing and names the source's root.
   */
  layers?: "compressed" | "estargz" | "as-is";
  /**
   * Layers whose bytes lie elsewhere by licence (Windows base layers) are copied too; `"if-there"`: those that the source itself has. What is left out is
   * counted. Default: no.
   */
  foreignLayers?: boolean | "if-there";
  /** Bodies in flight at the same time. Default: 4 of a megabyte or more, and up to 32 small ones. */
  jobs?: number;
  signal?: AbortSignal;
  onEvent?: OnEvent;
}

/** How much was moved, and how much was there. */
export interface CopyCounts {
  /** Blobs and manifests whose bytes were moved. */
  readonly copied: number;
  /** Blobs that the target's registry took over by itself: from another of its repositories, or because it had them somewhere. */
  readonly mounted: number;
  /** Blobs and manifests that were there already. Of a manifest that was, what lies below is not looked at or counted. */
  readonly skipped: number;
  /** Layers that lie elsewhere by licence and were left out (`foreignLayers`). */
  readonly leftOut: number;
  /** Bytes moved. */
  readonly bytes: number;
  /** Bytes of moved blobs that an earlier attempt had left there: not among `bytes`. */
  readonly resumed: number;
}
