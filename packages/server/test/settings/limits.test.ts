import { tryCases } from "./tried.ts";

tryCases("limits", (key) => key.startsWith("dray.limits."));
