/**
 * Asks the keychains of the clouds for each registry that is named, at the same time, and prints what they said. A program of its own: libraries
 * of clouds read the variables of their process.
 */
import { type Explanation, explain } from "dray/auth";
import { clouds } from "../src/index.ts";

const warnings: string[] = [];
const keychain = clouds({
  timeout: Number(process.env["ASK_TIMEOUT"] ?? "10000"),
  onWarning: (message) => warnings.push(message),
});
const answers: (Explanation & { readonly password: string | undefined; readonly identityToken: string | undefined })[] =
  await Promise.all(
    process.argv.slice(2).map(async (registry) => {
      const { password, identityToken } = (await keychain({ registry })) ?? {};
      return { ...(await explain({ registry }, keychain)), password, identityToken };
    }),
  );
process.stdout.write(JSON.stringify({ answers, warnings }), () => process.exit());
