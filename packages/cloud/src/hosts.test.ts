import assert from "node:assert/strict";
import { test } from "node:test";
import { azureCloud, cloudsOf, ecrRegistry } from "./hosts.ts";

test("a registry is of one cloud by its whole name, or of none", () => {
  const names: Readonly<Record<string, readonly string[]>> = {
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com": ["ecr"],
    "123456789012.DKR.ecr.eu-west-1.amazonaws.com:443": ["ecr"],
    "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn": ["ecr"],
    "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com": ["ecr"],
    "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu": ["ecr"],
    "123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov": ["ecr"],
    "123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov": ["ecr"],
    "123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk": ["ecr"],
    "123456789012.dkr.ecr.us-isof-south-1.csp.hci.ic.gov": ["ecr"],
    "123456789012.dkr-ecr.eu-west-1.on.aws": ["ecr"],
    "123456789012.dkr-ecr-fips.us-east-1.on.aws": ["ecr"],
    "123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn": ["ecr"],
    "public.ecr.aws": ["ecr"],
    "ecr-public.aws.com": ["ecr"],
    "12345678901.dkr.ecr.eu-west-1.amazonaws.com": [],
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example": [],
    "123456789012.dkr.ecr.eu-west-1.on.aws": [],
    "123456789012.dkr-ecr.eu-west-1.amazonaws.com": [],
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com:5000": [],
    "123456789012.dkr.ecr.eu.west.amazonaws.com": [],
    "evil.example": [],
    "gcr.io": ["google"],
    "eu.gcr.io": ["google"],
    "europe-west4-docker.pkg.dev": ["google"],
    "us-docker.pkg.dev": ["google"],
    "docker.pkg.dev": [],
    "europe-npm.pkg.dev": [],
    "evilgcr.io": [],
    "gcr.io.evil.example": [],
    "evil.example/.gcr.io": [],
    "ann:secret@eu.gcr.io": [],
    "team.azurecr.io": ["acr"],
    "team.westeurope.geo.azurecr.io": ["acr"],
    "team.azurecr.cn": ["acr"],
    "azurecr.io": [],
    ".azurecr.io": [],
    "team.azurecr.io.evil.example": [],
    "mcr.microsoft.com": [],
    "ghcr.io": ["github"],
    "registry.gitlab.example:5050": ["gitlab"],
    "registry.gitlab.example": [],
    "gitlab.example": ["gitlab"],
    "docker.io": [],
  };
  const env = { CI_REGISTRY: "registry.gitlab.example:5050", CI_DEPENDENCY_PROXY_SERVER: "gitlab.example:443" };
  for (const [name, wanted] of Object.entries(names)) assert.deepEqual(cloudsOf(name, env), wanted, name);
  assert.deepEqual(cloudsOf("registry.gitlab.example:5050", {}), []);
});

test("the name of a private registry says account, region and kind of endpoint", () => {
  const name = "123456789012.dkr-ecr-fips.us-east-1.on.aws";
  assert.deepEqual(ecrRegistry(name), { account: "123456789012", region: "us-east-1", fips: true, dualStack: true });
  const plain = ecrRegistry("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn");
  assert.deepEqual(plain, { account: "123456789012", region: "cn-north-1", fips: false, dualStack: false });
  assert.deepEqual(
    ["io", "cn", "us", "de"].map((end) => azureCloud(`a.azurecr.${end}`)),
    ["public", "china", "government", "germany"],
  );
});
