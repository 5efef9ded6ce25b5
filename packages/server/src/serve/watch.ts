import { accessLog, type Log, type Observer } from "@dray/service/observe";
import type { CloseStack } from "@dray/service/program";
import type { HttpRequest } from "dray/http";
import type { Settings } from "../config/index.ts";
import { endpointOf, type Route, routeOfRequest } from "../endpoints/index.ts";
import { type AuditLog, auditLog, type Metrics } from "../observing/index.ts";

/** Those who see every request, and the audit log, which sees more than requests. */
export const watchersOf = async (
  { log: { access, audit }, registry: { locations } }: Settings,
  { opened, log, metrics }: { opened: CloseStack; log: Log; metrics: Metrics | undefined },
): Promise<{ readonly observers: readonly Observer[]; readonly audit: AuditLog | undefined }> => {
  const prefix = locations?.prefix ?? "";
  const routed = (request: HttpRequest): Route => routeOfRequest(request, prefix);
  const onTrouble = (message: string): void => log("error", message);
  const audited = audit === undefined ? undefined : auditLog(await opened.lines(audit.to, { onTrouble }));
  const observers: Observer[] = [];
  if (metrics !== undefined)
    observers.push(
      metrics.http.observer((request) => endpointOf(routed(request))?.metric),
      metrics.logins,
    );
  // Lines of requests may wait a moment for each other; those of the audit do not.
  if (access !== undefined)
    observers.push(accessLog(access.format, await opened.lines(access.to, { delay: 50, onTrouble })));
  if (audited !== undefined) observers.push(audited.observer(routed));
  return { observers, audit: audited };
};
