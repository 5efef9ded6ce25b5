/** The other thread: compresses segments. */
import { answerMessages } from "../threads/index.ts";
import { type DeflateAnswer, type DeflateStep, deflateSteps } from "./steps.ts";

answerMessages<DeflateStep, DeflateAnswer>(deflateSteps);
