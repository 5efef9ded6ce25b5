/** The other thread: bcrypt takes a tenth of a second and more, during which nothing else would be answered. */
import { answerMessages } from "dray/internal/threads";
import { type Question, verify } from "./verification.ts";

answerMessages<Question, boolean>(() => verify);
