// The header of a vector: its folder, what is expected in words, the rule that it tests, and whose rule that is.

import { refusalGroup, refusalOf } from "@firmseal/verifier/tools";
import * as E from "../../packages/verifier/src/spec/errors.generated.js";
import type { Kind, Published, Strictness, Vector } from "../index.mjs";
import { featuresOf } from "./features.js";
import type { Made } from "./makers/adder.js";

/** What an accepted vector follows, by its folder. */
const SOURCES: { [group: string]: string } = {
  envelope: "draft-ietf-suit-manifest-37 §8",
  signature: "RFC 9052 §4",
  interpreter: "draft-ietf-suit-manifest-37 §6.4",
  install: "draft-ietf-suit-manifest-37 §6",
  "trust-file": "docs/guides/trust.md",
};

/** Refusals whose section leaves other implementations a choice, or whose section binds by way of the drafts. */
const BY_NUMBER: { [code: number]: Strictness } = {
  // the drafts demand the order of keys only (M37 §8.2); RFC 8949 §4.2.1 is for those who ask for it
  [E.CBOR_NOT_SHORTEST]: "firmseal",
  [E.CBOR_INDEFINITE]: "firmseal",
  [E.CBOR_KEY_ORDER]: "draft",
  // unknown elements may be ignored, as extensions
  [E.ENVELOPE_KEY]: "firmseal",
  [E.MANIFEST_KEY]: "firmseal",
  [E.COMMON_KEY]: "firmseal",
  [E.TEXT_KEY]: "firmseal",
  [E.OLD_DRAFT]: "firmseal",
  // what nobody signed may be ignored as well
  [E.SEVERED_UNCOVERED]: "firmseal",
  [E.SEVERED_REDUNDANT]: "firmseal",
  [E.PAYLOAD_UNREFERENCED]: "firmseal",
  // RFC 9124 asks for the means; that a device demands them is ours
  [E.IDENTITY_UNCHECKED]: "firmseal",
  [E.DIGEST_UNSET]: "firmseal",
  [E.INVOKE_UNVERIFIED]: "firmseal",
  [E.INVOKE_MISPLACED]: "firmseal",
};

/**
 * Vectors whose rule differs from that of their neighbours: limits, which others set elsewhere, and choices between
 * correct readings.
 */
const BY_NAME: [RegExp, Strictness][] = [
  // limits
  [/^(components-1[67]|component-parts(-5)?|payloads-16|uri-1024|sequences-8|size-2-53|labels-16|kid-64|protected-512)$/, "firmseal"],
  [/^(signatures-[48]|sign-8|try-each-257|index-list-17)$/, "firmseal"],
  // the drafts leave room for more behind the two members of a digest
  [/^digest-extended$/, "firmseal"],
  // which keys and tags a verifier takes: a form of a point, a length of a secret, parameters of HSS/LMS (RFC 8554
  // mixes hash functions)
  [/^anchor-(compressed|x-alone|short-secret|public-key-as-secret|hsslms-(lms-type-15|ots-type-9))$/, "firmseal"],
  [/^(alg-mac-truncated|hsslms-two-(weaker|stronger)|kid-missing|kid-without-one-to-match)$/, "firmseal"],
  // points of small order are valid encodings (RFC 8032 §5.1.3), and no signature under them says anything
  [/^anchor-(identity|order-[248])$/, "firmseal"],
  // the identity as R passes the equation with a cofactor
  [/^signature-r-identity$/, "firmseal"],
  [/^install-(scope-.*|(image-match|check-content)-before-identity)$/, "firmseal"],
  [/^(signers-no-more-than-needed|untagged|install-skip-(identity|digest))$/, "firmseal"],
];

function groupOf(v: Made): string {
  if (v.action === "trust" || v.action === "embedded" || v.store) return "trust-file";
  if ("effects" in v.expect) return "interpreter";
  if ("code" in v.expect) {
    const { code } = v.expect;
    const folder = refusalGroup(code)?.vectors;
    if (!folder) throw new Error(`${v.name}: refusals as ${code} have no vectors: REFUSAL_GROUPS in tools/refusal-table.ts`);
    return folder;
  }
  if (v.group !== undefined) return v.group;
  return v.action === "install" || v.action === "boot" ? "install" : "envelope";
}

function sourceOf(v: Vector, group: string): string {
  if (!("code" in v.expect)) return SOURCES[group] as string;
  const source = refusalOf(v.expect.code)?.source ?? "";
  if (source === "ours") return "firmseal";
  if (source.includes(".md")) return `docs/guides/${source}`;
  return source.replaceAll("M37", "draft-ietf-suit-manifest-37").replace("limits ours", "limits of firmseal");
}

function strictnessOf(v: Vector, group: string, source: string): Strictness {
  // the format is this project's own; so is what only JavaScript can hand over, and decodeEnvelope()
  if (group === "trust-file" || v.action === "decode" || v.action === "step" || v.action === "start") return "firmseal";
  const named = BY_NAME.find(([pattern]) => pattern.test(v.name))?.[1];
  if (named !== undefined) return named;
  const numbered = "code" in v.expect ? BY_NUMBER[v.expect.code] : undefined;
  if (numbered !== undefined) return numbered;
  if (source.startsWith("RFC")) return "rfc";
  return source.startsWith("draft-") ? "draft" : "firmseal";
}

const numbered = (code: number): string => {
  const row = refusalOf(code);
  return `${code} ${row?.name}: ${row?.meaning}`;
};

function expectedOf({ action, expect }: Vector): string {
  if ("code" in expect) {
    const before = expect.effects?.length ? `${expect.effects.length} effects, then refused` : "refused";
    return `${before} with ${numbered(expect.code)}`;
  }
  if (expect.effects) return `runs to its end with ${expect.effects.length === 1 ? "one effect" : `${expect.effects.length} effects`}`;
  if (action === "install") return `installed: sequence number ${expect.sequence} is the new floor`;
  if (action === "boot") return "started";
  return action === "decode" ? "decoded, nothing verified" : `accepted: sequence number ${expect.sequence}`;
}

/** A finished vector with its header, in the order in which a file shows it. */
export function published(v: Made, kind: Kind): Published {
  const group = groupOf(v);
  const source = sourceOf(v, group);
  const { name, about, group: _, ...rest } = v;
  return {
    name,
    group,
    kind,
    about,
    expected: expectedOf(v),
    source,
    strictness: strictnessOf(v, group, source),
    features: featuresOf(v),
    ...rest,
  };
}
