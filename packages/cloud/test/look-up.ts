/**
 * Looks images up with credentials of Amazon's below their own, twice at the same time and once more, and prints what came of it. A program of its
 * own: Amazon's libraries read the variables of their process.
 */
import { Credentials, imageCreds, imageKeychain } from "dray/auth";
import { parseReference } from "dray/oci";
import { imageCredsWithAwsAuth } from "../src/index.ts";

const {
  images,
  own = {},
  options,
} = JSON.parse(process.argv[2] ?? "{}") as {
  readonly images: readonly string[];
  readonly own?: Readonly<Record<string, string>>;
  readonly options: object;
};
const [warnings, leftOut]: [string[], string[]] = [[], []];
const all = imageCreds(
  images.map((image) => {
    const { registry } = parseReference(image);
    const password = own[image];
    return [
      image,
      new Credentials(password === undefined ? [] : [[registry, { username: "own", password, source: "s" }]]),
    ];
  }),
);
const { lookup, preflight } = imageCredsWithAwsAuth(() => all, {
  ...options,
  onWarning: (message) => warnings.push(message),
  onLeftOut: (image, why) => leftOut.push(`${image}: ${why}`),
});
const before = await preflight().catch((error: Error) => error.message);
await Promise.all([lookup(), lookup()]);
const found = await lookup();
const keychain = imageKeychain(() => found);
const passwords = await Promise.all(
  images.map(async (image) => {
    const { registry, repository } = parseReference(image);
    return (await keychain({ registry, repository }))?.password ?? null;
  }),
);
process.stdout.write(JSON.stringify({ before, kept: [...found.keys()], passwords, warnings, leftOut }), () =>
  process.exit(),
);
