import { plural, warnOfTestKeys } from "@firmseal/keys/internal";
import {
  anchorFacts,
  type FamilyFacts,
  familyFacts,
  familyWords,
  keysOf,
  limitWords,
  readUnverifiedTrust,
  rootProgress,
} from "@firmseal/release/internal";
import { ROLES, type RoleName, trustName, trustSigners } from "@firmseal/signer";
import { formatSequence, toHex } from "@firmseal/verifier/tools";
import { commandArgument, define } from "../../command.js";
import { ANCHOR, membersOf, TEST_KEYS } from "../../common/shapes.js";
import { PROGRESS } from "../../common/trust/declared.js";
import { rootWords } from "../../common/words.js";

/** Shows the content of a trust file and its signers. `trust verify` checks whether those are the right roots. */
function showTrust(path: string, _: { json?: boolean }) {
  const { bytes, store, signatures } = readUnverifiedTrust(path);
  const testKeys = warnOfTestKeys(keysOf(store));
  const has = new Set(trustSigners(bytes, keysOf(store)).map((k) => toHex(k.key)));
  const all = store.anchors.map((a) => ({ ...anchorFacts(a), signed: has.has(toHex(a.key)) }));
  const roots = rootProgress(bytes, store);
  const thresholds = Object.fromEntries(
    Object.entries(ROLES).flatMap(([role, code]) => (store.thresholds[code] ? [[role, store.thresholds[code]]] : [])),
  );
  return {
    name: trustName(store),
    sequence: formatSequence(store.sequence),
    thresholds,
    jumps: Object.fromEntries(
      Object.entries(ROLES).flatMap(([role, code]) => {
        const jump = store.jumps[code];
        return jump ? [[role, formatSequence(jump)]] : [];
      }),
    ),
    families: Object.fromEntries(
      (Object.keys(ROLES) as RoleName[]).flatMap((role) => {
        const all = familyFacts(store, role);
        return all ? [[role, all]] : [];
      }),
    ) as { readonly [role: string]: FamilyFacts[] },
    epoch: store.begins ? { number: store.epoch, from: formatSequence(store.begins) } : null,
    anchors: all,
    signatures: signatures.length,
    roots,
    testKeys,
  };
}

type TrustFacts = ReturnType<typeof showTrust>;

const inRole = (f: TrustFacts, role: string) => f.anchors.filter((a) => a.roles.some((one) => one === role)).length;

export default define({
  name: "trust show",
  summary: "show the contents of a trust file, and which roots have signed it",
  arguments: [commandArgument("<file>", "trust file")],
  examples: [
    ["firmseal trust show fleet.trust", "keys, roles and signatures"],
    ["firmseal trust show fleet.trust --json", "the same for scripts"],
  ],
  json: {
    name: ["string", "name of the line of trust files"],
    sequence: ["string", "sequence number"],
    thresholds: ["object", "for each role, how many keys must sign"],
    jumps: ["object", "by role, how far above its floor a release may be; 2^63 for a role that is missing"],
    families: ["object", "by role, families of algorithms, and how many keys of each must also sign"],
    epoch: [
      "object|null",
      "how often the sequence numbers have started again (number), and the lowest number since then (from); null: never",
    ],
    anchors: ["object[]", "its keys"],
    ...membersOf("anchors[]", { ...ANCHOR, signed: ["boolean", "whether this key has signed the file"] }),
    signatures: ["number", "number of signatures"],
    roots: ["object", "roots of this file"],
    ...membersOf("roots", PROGRESS),
    ...TEST_KEYS,
  },
  run: showTrust,
  words: (f) => [
    { text: `name      ${f.name}` },
    { text: `sequence  ${f.sequence}` },
    ...Object.entries(f.thresholds).map(([role, n]) => ({ text: `${role.padEnd(9)} ${n} of ${plural(inRole(f, role), "key")} needed` })),
    ...Object.entries(f.jumps).map(([role, n]) => ({ text: `${role.padEnd(9)} at most ${n} above the device's number` })),
    ...Object.entries(f.families).map(([role, all]) => ({ text: `${role.padEnd(9)} of each family: ${familyWords(all)}` })),
    ...(f.epoch ? [{ text: `epoch     ${f.epoch.number}, counting from ${f.epoch.from}` }] : []),
    {
      table: {
        columns: [{ title: "roles" }, { title: "algorithm" }, { title: "thumbprint" }, { title: "limits" }],
        rows: f.anchors.map((a) => [
          a.roles.join("+"),
          a.alg,
          (a.thumbprint ?? "-").slice(0, 16),
          [...limitWords(a), ...(a.signed ? ["has signed"] : [])].join(", "),
        ]),
      },
    },
    { text: `signed by ${rootWords(f.roots)}` },
  ],
});
