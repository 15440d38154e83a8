// One list of algorithms, and one of roles: what the command line and the bundler offer is what the signer and the verifier have.

import { BUNDLE_ALGS } from "@firmseal/bundler";
import { deviceKeyAlgs, keyAlgs, ROLES } from "@firmseal/signer";
import { algorithms } from "@firmseal/verifier";
import { expect, it } from "vitest";
import keygen from "../../src/commands/keys/keygen.js";
import { policyRoles } from "../../src/common/options.js";

it("keygen makes keys of every algorithm of the signer, and hybrid pairs of a classic one and ML-DSA", () => {
  const option = keygen.options?.().find(({ long }) => long === "--alg");
  const choices = (option?.argChoices ?? []) as string[];
  expect(choices.filter((name) => !name.includes("+"))).toEqual(keyAlgs);
  for (const pair of choices.filter((name) => name.includes("+")))
    for (const name of pair.split("+")) expect(keyAlgs, pair).toContain(name);
});

it("bundles, trust files and plans have every algorithm of the verifier that makes signatures", () => {
  expect([...BUNDLE_ALGS].sort()).toEqual(Object.keys(algorithms).sort());
  // HMAC has a secret in place of a public key
  expect([...deviceKeyAlgs].sort()).toEqual(
    Object.keys(algorithms)
      .filter((name) => name !== "hmac256")
      .sort(),
  );
});

it("a command can ask for every role except root", () => {
  expect(["root", ...policyRoles].sort()).toEqual(Object.keys(ROLES).sort());
});
