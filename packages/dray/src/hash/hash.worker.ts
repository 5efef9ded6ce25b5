/** The other thread: runs many hashes at once, and writes what it hashes where that is wanted. */
import { answerMessages } from "../threads/index.ts";
import { type HashAnswer, type HashStep, hashSteps } from "./steps.ts";

answerMessages<HashStep, HashAnswer>(hashSteps);
