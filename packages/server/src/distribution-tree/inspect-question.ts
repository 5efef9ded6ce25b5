import { inspect } from "./inspection.ts";
import { type PackedInspection, pack } from "./packed-inspection.ts";

/** A manifest to be read elsewhere. */
export interface InspectionQuestion {
  readonly bytes: Uint8Array;
  readonly mediaType: string | undefined;
}

export const answerInspection = ({ bytes, mediaType }: InspectionQuestion): PackedInspection =>
  pack(inspect(bytes, mediaType));
