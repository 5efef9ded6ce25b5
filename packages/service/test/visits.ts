/** A second service, to be started: counts visits of users in a password file, in a database of its own. Knows nothing of registries. */
import { join } from "node:path";
import type { Handler } from "dray/http";
import { keyTable, readConfig, supported, text } from "../src/config/index.ts";
import { serveControl } from "../src/control/index.ts";
import { bind, type ListenAddress, parseAddress } from "../src/http-server/index.ts";
import { credentialsOf, openPasswordFile, unauthorised } from "../src/identity/index.ts";
import {
  accessLog,
  debugHandler,
  gauge,
  HealthChecks,
  HttpMetrics,
  MetricsPage,
  type Notice,
  observe,
  openLog,
  promRegistry,
} from "../src/observe/index.ts";
import { CloseStack, untilSignals } from "../src/program/index.ts";
import { HttpError, withError, withJson } from "../src/response/index.ts";
import { openDatabase, Statements } from "../src/sqlite/index.ts";
import { controls } from "./visits-controls.ts";

interface Settings {
  readonly address: ListenAddress;
  readonly data: string;
  readonly greeting: string;
}

const table = keyTable(
  [
    supported("http.addr", text, "where it listens", { fallback: "127.0.0.1:5000" }),
    supported("data", text, "the folder of its data"),
    supported("greeting", text, "how visitors are met", { fallback: "hello", reloadable: true }),
  ],
  { prefixes: { "": "VISITS" }, flags: [{ name: "--data", key: "data" }] },
);

const [file = "", data] = process.argv.slice(2);
const load = (): Settings =>
  readConfig<Settings>(
    table,
    ({ values, complain }) => {
      const address = parseAddress(values.text("http.addr")) ?? complain("http.addr", "is no address");
      const folder = values.maybe<string>("data") ?? complain("data", "is missing");
      if (address === undefined || folder === undefined) return undefined;
      return { address, data: folder, greeting: values.text("greeting") };
    },
    { file, env: process.env, flags: { named: { "--data": data } } },
  ).settings;

const open = new CloseStack();
const lines = await open.lines("stderr");
const log = openLog(lines, { format: "json" });
const onNotice = ({ level, message }: Notice): void => log(level, message);
try {
  let settings = load();
  const format = {
    name: "the count",
    application: 0x76697374,
    version: 1,
    tables: ["visits"],
    schema: "CREATE TABLE visits (user TEXT NOT NULL PRIMARY KEY, count INTEGER NOT NULL);",
  };
  const database = openDatabase(join(settings.data, "visits.db"), format, { onNotice });
  open.onClose(async () => database.close());
  const statements = new Statements(database);
  const users = await openPasswordFile({ file: join(settings.data, "users"), realm: "visits", onNotice });
  open.onClose(() => users.close());

  const visit: Handler = async (request) => {
    const credentials = credentialsOf(request);
    const known =
      credentials.kind === "basic"
        ? await users.authenticate(credentials, request.peer)
        : unauthorised("say who you are", users.challenge);
    if (!known.allowed) return withError(request, new HttpError(known.status, "UNAUTHORIZED", known.message, known));
    const add = "INSERT INTO visits VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count";
    return withJson(request, { [settings.greeting]: known.user, visits: statements.get(add, known.user)?.[0] });
  };

  const page = new MetricsPage(await promRegistry());
  const requests = new HttpMetrics("visits_http");
  const visitors = (): number => Number(statements.get("SELECT count(*) FROM visits")?.[0]);
  page.add([...requests.families(), gauge("visits_users", "Users who came.", visitors)]);
  const health = new HealthChecks({ look: async () => ({ told: { count: "kept" }, failing: {} }) });
  const observers = [requests.observer(() => "visit"), accessLog("json", lines)];
  const listener = await bind(health.middleware(observe(observers)(visit)), settings.address, "VISITS_HTTP_ADDR");
  open.onClose(() => listener.close());
  const debug = await bind(debugHandler(health, { metrics: page }), {}, "nothing");
  open.onClose(() => debug.close());
  const control = await serveControl({
    path: join(settings.data, "control.sock"),
    serves: settings.data,
    format: controls,
    actions: {
      forget: async ({ under = Number.MAX_SAFE_INTEGER }, { tell }) => {
        for (const [user] of statements.all("SELECT user FROM visits WHERE count < ?", under))
          tell({ user: String(user) });
        return { gone: statements.run("DELETE FROM visits WHERE count < ?", under).changes };
      },
    },
  });
  open.onClose(() => control.close());
  log("info", "serving", { origin: listener.origin, debug: debug.origin });
  process.exitCode = await untilSignals({
    stop: async () => {
      await listener.stop({ drain: 5000 });
    },
    reload: async () => {
      settings = load();
      await users.reload();
      log("info", "reloaded");
    },
    onNotice: (message) => log("info", message),
  });
} catch (error) {
  log("error", (error as Error).message);
  process.exitCode = 1;
} finally {
  await open.close();
}
