/** What shows that each key acts; a file for each part of the configuration. */
import type { Case } from "../case.ts";
import { accessCases } from "./access.ts";
import { drayCases } from "./dray.ts";
import { generalCases } from "./general.ts";
import { httpCases } from "./http.ts";
import { storageCases } from "./storage.ts";

export const cases: readonly Case[] = [...generalCases, ...storageCases, ...accessCases, ...httpCases, ...drayCases];
