import { DrayError } from "../../errors.ts";
import type { Image } from "../views.ts";
import { type LayerStep, madeLayer, type Step } from "./steps.ts";

/** A layer of an image: its digest or diffID, or its number, 1 for the lowest and -1 for the uppermost. */
export type LayerChoice = string | number;

/**
 * The steps whose layers are meant, each once.
 * @throws DrayError `NOT_FOUND` naming how many layers there are, `USAGE` for a number that is none
 */
export const chosenSteps = (
  steps: readonly Step[],
  choices: readonly LayerChoice[],
  { descriptor }: Pick<Image, "descriptor">,
): ReadonlySet<Step> => {
  const layers = steps.filter(madeLayer);
  return new Set(choices.flatMap((choice) => meant(layers, choice, descriptor.digest)));
};

const meant = (layers: readonly LayerStep[], choice: LayerChoice, image: string): readonly LayerStep[] => {
  if (typeof choice === "number") {
    if (!Number.isInteger(choice) || choice === 0)
      throw new DrayError("USAGE", `${choice} is no number of a layer: 1 is the lowest, -1 the uppermost`);
    const step = layers[choice < 0 ? layers.length + choice : choice - 1];
    if (step !== undefined) return [step];
  } else {
    const found = layers.filter(({ layer }) => layer.descriptor.digest === choice || layer.diffID === choice);
    if (found.length > 0) return found;
  }
  throw new DrayError("NOT_FOUND", `${image} has no layer ${choice}; it has ${layers.length}`, { reference: image });
};
