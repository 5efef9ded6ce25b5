/**
 * Asks the keychains of the clouds for each registry that is named, at the same time, and prints what they said. A program of its own: libraries
 * of clouds read the variables of their process.
 */
import { type Explanation, explain } from "dray/auth";
import { clouds, google } from "../src/index.ts";

const warnings: string[] = [];
const options = {
  timeout: Number(process.env["ASK_TIMEOUT"] ?? "10000"),
  onWarning: (message: string) => void warnings.push(message),
};
const keyFile = process.env["ASK_KEY_FILE"];
const keychain = keyFile === undefined ? clouds(options) : google({ ...options, keyFile });
const answers: (Explanation & { readonly password: string | undefined; readonly identityToken: string | undefined })[] =
  await Promise.all(
    process.argv.slice(2).map(async (registry) => {
      const { password, identityToken } = (await keychain({ registry })) ?? {};
      return { ...(await explain({ registry }, keychain)), password, identityToken };
    }),
  );
process.stdout.write(JSON.stringify({ answers, warnings }), () => process.exit());
