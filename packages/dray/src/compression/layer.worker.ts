/** The other thread: computes the digests of many layers at once, of each as it lies and as it is inside. */
import type { HashAnswer, HashStep } from "../hash/index.ts";
import { answerMessages } from "../threads/index.ts";
import { layerSteps } from "./layer-steps.ts";

answerMessages<HashStep, HashAnswer>(layerSteps);
