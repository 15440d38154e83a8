// What a device embeds of a trust file: the whole file, for a bundle with the feature trust, or the keys of one role,
// for a bundle without it.

import { usage, visible, warn } from "@firmseal/keys/internal";
import { keyOfAnchor, ROLES, type RoleName, trustName } from "@firmseal/signer";
import { type Anchor, policyOf, type Sequence, type TrustAnchor, type TrustStore } from "@firmseal/verifier";
import { formatSequence } from "@firmseal/verifier/tools";
import { identityOf } from "../input/identity.js";
import { isRefusal, withFileName } from "../verify/refusals.js";

function headerTitle(store: TrustStore): string {
  // a name may contain the end of a comment, or a newline
  const name = trustName(store).replace(/[^\w .-]/g, "?");
  return `Trust file ${name}, sequence number ${formatSequence(store.sequence)}`;
}

const hexByte = (b: number) => `0x${b.toString(16).padStart(2, "0")}`;

function arrayLines(name: string, bytes: ArrayLike<number>): string[] {
  const all = Array.from(bytes, hexByte);
  const rows: string[] = [];
  for (let i = 0; i < all.length; i += 8) rows.push(`    ${all.slice(i, i + 8).join(", ")},`);
  return [`static const unsigned char ${name}[${bytes.length}] = {`, ...rows, "};"];
}

function header(about: string, lines: readonly string[]): string {
  return [`/* ${about} */`, "#ifndef FIRMSEAL_TRUST_H", "#define FIRMSEAL_TRUST_H", "", ...lines, "", "#endif", ""].join("\n");
}

/** Returns the whole trust file. It becomes part of the firmware, and embeddedTrust() trusts it without signatures. */
export function exportAll(bytes: Uint8Array, store: TrustStore, format: "js" | "h" | "bin"): Uint8Array {
  if (format === "bin") return bytes;
  const text =
    format === "js"
      ? `// ${headerTitle(store)}: for embeddedTrust().\nvar firmsealTrust = [${bytes.join(", ")}];\n`
      : header(headerTitle(store), [`#define FIRMSEAL_TRUST_LENGTH ${bytes.length}`, "", ...arrayLines("firmseal_trust", bytes)]);
  return new TextEncoder().encode(text);
}

/** The anchors with a role, for a device of this vendor and class. */
function anchorsFor(
  store: TrustStore,
  role: RoleName,
  o: { vendor?: string; class?: string },
  path: string,
): { anchors: TrustAnchor[]; threshold: number } {
  const scoped = store.anchors.some((a) => a.roles.includes(ROLES[role]) && (a.vendor || a.class));
  if ((o.vendor === undefined) !== (o.class === undefined) || (scoped && o.vendor === undefined))
    throw usage("which keys a device gets depends on its vendor and class", "say which: `vendor` VENDOR `class` CLASS");
  const id = o.vendor === undefined ? undefined : identityOf(o.vendor, o.class as string);
  try {
    const { anchors, threshold } = policyOf(
      store,
      ROLES[role],
      id ? { vendor: [id.vendor], class: [id.class] } : { vendor: [], class: [] },
    );
    return { anchors: anchors as (Anchor & TrustAnchor)[], threshold: threshold as number };
  } catch (e) {
    throw isRefusal(e) ? withFileName(path, e) : e;
  }
}

const sequenceMember = (name: string, s: Sequence | undefined) => (s ? `, ${name}: [${s.join(", ")}]` : "");

/**
 * Returns the keys of one role as data. Each is passed to anchor(), in a bundle with any features. Throws a usage
 * Failure if the role has a rule that a list of keys cannot express.
 */
export function exportRole(
  store: TrustStore,
  role: "release" | "debug" | "recovery",
  format: "js" | "h",
  o: { vendor?: string; class?: string },
  path: string,
): Uint8Array {
  const { anchors, threshold } = anchorsFor(store, role, o, path);
  if (anchors.some((a) => a.single))
    throw usage(
      `${path}: keys of the role ${role} count for one device at a time, which a list of keys cannot express`,
      "embed the whole file: drop `role`",
    );
  if (store.families[ROLES[role]])
    throw usage(
      `${path}: the role ${role} needs keys of families of algorithms, which a list of keys cannot express`,
      "embed the whole file: drop `role`",
    );
  const isLimited = anchors.some((a) => a.since || a.until);
  if (isLimited && format === "h")
    throw usage(
      `${path}: keys of the role ${role} are limited to some sequence numbers, and the arrays of a header cannot express that`,
      "embed the whole file: drop `role`; or make a trust file in which they are not limited",
    );
  if (isLimited) warn(`${visible(path)}: keys of the role ${role} are limited, which only a bundle with the feature trust checks`);
  const about = `${headerTitle(store)}: role ${role}, ${threshold} of ${anchors.length} must sign`;
  const algOf = (a: TrustAnchor) => keyOfAnchor(a)?.alg ?? String(a.cose);
  if (format === "js") {
    const rows = anchors.map(
      (a) =>
        `  { alg: "${algOf(a)}", key: [${Array.from(a.key).join(", ")}]${a.kid ? `, kid: [${Array.from(a.kid).join(", ")}]` : ""}${sequenceMember("since", a.since)}${sequenceMember("until", a.until)} }`,
    );
    return new TextEncoder().encode(
      `// ${about}. Each key goes through anchor()${isLimited ? ", and its since and until go with it" : ""}.\nvar firmsealTrust = { threshold: ${threshold}, anchors: [\n${rows.join(",\n")}\n] };\n`,
    );
  }
  const lines = [`#define FIRMSEAL_TRUST_THRESHOLD ${threshold}`, `#define FIRMSEAL_TRUST_KEYS ${anchors.length}`];
  for (const [i, a] of anchors.entries())
    lines.push("", `#define FIRMSEAL_TRUST_ALG_${i} (${a.cose})`, ...arrayLines(`firmseal_trust_key_${i}`, a.key));
  return new TextEncoder().encode(header(about, lines));
}
