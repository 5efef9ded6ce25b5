import { chain, environment, type Keychain } from "dray";

/** A secret as the API of Kubernetes gives it: its values are base64. */
export interface Secret {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

const members: Readonly<Record<string, string>> = {
  "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
  "kubernetes.io/dockercfg": ".dockercfg",
};

/** The credentials of pull secrets; of several the first that has one. Other secrets say nothing. */
export const pullSecrets = (secrets: readonly Secret[]): Keychain =>
  chain(
    ...secrets.flatMap(({ type = "", data = {} }) => {
      const value = data[members[type] ?? ""];
      if (value === undefined) return [];
      const text = Buffer.from(value, "base64").toString();
      // The older form is what the newer one has under `auths`.
      return [environment({ DOCKER_AUTH_CONFIG: type.endsWith("dockercfg") ? `{"auths":${text}}` : text })];
    }),
  );
