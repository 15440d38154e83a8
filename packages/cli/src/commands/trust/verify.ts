import { plural, warnOfTestKeys } from "@firmseal/keys/internal";
import { anchorFacts, keysOf, readKnownTrust } from "@firmseal/release/internal";
import { trustName } from "@firmseal/signer";
import { formatSequence } from "@firmseal/verifier/tools";
import { commandArgument, define } from "../../command.js";
import { passphrases } from "../../common/options.js";
import { ANCHOR, membersOf, TEST_KEYS } from "../../common/shapes.js";
import { type PinnedOptions, pins } from "../../common/trust/pins.js";

/** Verifies a trust file like a device that has the root keys, or the previous file. */
async function verifyTrust(path: string, o: PinnedOptions) {
  const { store, pinned } = await readKnownTrust(path, o);
  const testKeys = warnOfTestKeys(keysOf(store));
  const facts = {
    name: trustName(store),
    sequence: formatSequence(store.sequence),
    pinned,
    anchors: store.anchors.map(anchorFacts),
    testKeys,
  };
  return facts;
}

export default define({
  name: "trust verify",
  summary: "verify a trust file as a device does",
  arguments: [commandArgument("<file>", "trust file")],
  options: () => [...pins(), ...passphrases()],
  examples: [
    ["firmseal trust verify fleet.trust --root root-1.jwk --root root-2.jwk", "against the root keys"],
    ["firmseal trust verify fleet-2.trust --previous-trust fleet-1.trust", "against the previous file"],
  ],
  json: {
    name: ["string", "name of the line of trust files"],
    sequence: ["string", "sequence number"],
    pinned: ["boolean", "false: neither --root nor --previous-trust was given"],
    anchors: ["object[]", "its keys"],
    ...membersOf("anchors[]", ANCHOR),
    ...TEST_KEYS,
  },
  run: verifyTrust,
  words: (f, path) => [
    `${path}: good, ${f.name}, sequence number ${f.sequence}, ${plural(f.anchors.length, "key")}${f.pinned ? "" : "; its roots are not pinned"}`,
  ],
});
