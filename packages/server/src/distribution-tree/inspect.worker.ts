/** The other thread: reads large manifests, during which nothing else would be answered. */
import { answerMessages } from "dray/internal/threads";
import { answerInspection, type InspectionQuestion } from "./inspect-question.ts";
import type { PackedInspection } from "./packed-inspection.ts";

answerMessages<InspectionQuestion, PackedInspection>(() => answerInspection);
