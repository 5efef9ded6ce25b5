import { ECRClient } from "@aws-sdk/client-ecr";
import { collect } from "dray/content";
import { DrayError, isDrayError } from "dray/errors";
import { connection, type Handler } from "dray/http";

/** Milliseconds for each question to a metadata service, which answers at once or is none. */
const patience = 2000;
const usual = "http://169.254.169.254";

/**
 * The region that this machine is in: what Amazon's own tools are told (`AWS_REGION`, the profile in `~/.aws/config`), else what the machine's
 * metadata say.
 * @throws DrayError `NOT_FOUND` where neither says it
 */
export const regionHere = async (profile: string | undefined, signal: AbortSignal): Promise<string> =>
  (await configured(profile)) ?? (await ofMachine(signal));

const configured = async (profile: string | undefined): Promise<string | undefined> => {
  const client = new ECRClient(profile === undefined ? {} : { profile });
  try {
    return (await client.config.region()) || undefined;
  } catch {
    // "Region is missing", in the words of a library.
    return undefined;
  } finally {
    client.destroy();
  }
};

const ofMachine = async (signal: AbortSignal): Promise<string> => {
  const { AWS_EC2_METADATA_DISABLED: disabled, AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint } = process.env;
  if (/^true$/i.test(disabled ?? "")) throw noRegion("the machine's metadata are not to be asked");
  const send = connection({ timeouts: { connect: patience, headers: patience, idle: patience } });
  try {
    const { origin } = new URL(endpoint || usual);
    const session = await answerOf(send, { method: "PUT", origin, target: "/latest/api/token" }, signal, {
      "X-aws-ec2-metadata-token-ttl-seconds": "60",
    });
    const region = await answerOf(
      send,
      { method: "GET", origin, target: "/latest/meta-data/placement/region" },
      signal,
      {
        "X-aws-ec2-metadata-token": session,
      },
    );
    if (/^[a-z0-9-]+$/.test(region)) return region;
    throw noRegion("the machine's metadata name none");
  } catch (error) {
    if (isDrayError(error, "NETWORK", "TIMEOUT", "TLS")) throw noRegion("no metadata service answers");
    throw error;
  } finally {
    await send.close();
  }
};

const answerOf = async (
  send: Handler,
  question: { readonly method: string; readonly origin: string; readonly target: string },
  signal: AbortSignal,
  headers: Readonly<Record<string, string>>,
): Promise<string> => {
  const { status, body } = await send({ ...question, headers: Object.entries(headers), signal });
  const bytes = await collect(body.chunks, 64 * 1024, "the answer of the machine's metadata");
  if (status !== 200) throw noRegion(`the machine's metadata answer ${status}`);
  return new TextDecoder().decode(bytes).trim();
};

const noRegion = (why: string): DrayError =>
  new DrayError(
    "NOT_FOUND",
    `no AWS region is known here: AWS_REGION and ~/.aws/config name none, and ${why}; name the regions`,
  );
