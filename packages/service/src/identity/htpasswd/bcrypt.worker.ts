/** The other thread: bcrypt takes a tenth of a second and more, during which nothing else would be answered. */
import { parentPort } from "node:worker_threads";
import { type Question, verify } from "./verification.ts";

const port = parentPort;
if (port === null) throw new Error("the worker for passwords is started as a worker thread, not imported");

port.on("message", (question: Question) => port.postMessage(verify(question)));
