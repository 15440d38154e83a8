// CNSA 2.0 (NSA, "Announcing the Commercial National Security Algorithm Suite 2.0", and its FAQ): firmware is signed
// with LMS or XMSS of one tree (SP 800-208) or ML-DSA-87 (FIPS 204), and hashed with SHA-384 or SHA-512.

import { COSE, type CoseSignature, HASH_SHA_384, HASH_SHA_512, PARAM_IMAGE_DIGEST } from "@firmseal/verifier/tools";
import { allParameters, type DigestText, formatDigest } from "../../verify/tree.js";
import type { Rule } from "../rule.js";

/** The number of signed public keys in front of an HSS signature (RFC 8554 §6.2) is 0 if there is one tree. */
const isSingleTree = ({ signature }: CoseSignature) => signature.length > 4 && [0, 1, 2, 3].every((i) => signature[i] === 0);

function isAllowed(claim: CoseSignature): boolean {
  if (claim.alg === COSE.ALG_HSS_LMS) return isSingleTree(claim);
  return claim.alg === COSE.ALG_ML_DSA_87;
}

const HASHES = [HASH_SHA_384, HASH_SHA_512].map((alg) => formatDigest({ alg, bytes: [] }).algorithm);

const isDigest = (value: unknown): value is DigestText => typeof value === "object" && value !== null && "algorithm" in value;

export const cnsa2Rules: readonly Rule[] = [
  {
    id: "L50",
    name: "cnsa2-signature",
    severity: "error",
    policy: "cnsa2",
    title: "No signature of the release fits CNSA 2.0",
    why: "CNSA 2.0 requires LMS or XMSS with one tree, or ML-DSA-87, for firmware. Other algorithms do not resist quantum computers.",
    fix: "Use an hsslms key of one level (keygen --hss 10/8), or one for ml-dsa-87. The release may have other signatures too.",
    needs: ["signed"],
    check: ({ release: { outline, signatures } }) => {
      if (outline.signatures.some(isAllowed)) return [];
      const names = signatures.map(({ alg }, i) => {
        const claim = outline.signatures[i];
        return claim?.alg === COSE.ALG_HSS_LMS ? `${alg} with several trees` : alg;
      });
      return [names.length === 0 ? "not signed" : `signed with ${[...new Set(names)].join(", ")} only`];
    },
  },
  {
    id: "L51",
    name: "cnsa2-hash",
    severity: "error",
    policy: "cnsa2",
    title: "A digest in the release does not fit CNSA 2.0",
    why: "CNSA 2.0 requires SHA-384 or SHA-512.",
    fix: 'In the description: "digest": "sha-384", and "algorithm": "sha-384" for each image.',
    check: ({ release: { outline, sections } }) => {
      const digests: [string, DigestText][] = [
        ...(outline.digest ? [["the manifest", formatDigest(outline.digest)] as [string, DigestText]] : []),
        ...outline.manifest.digests.map(({ sum }): [string, DigestText] => ["a severed element", formatDigest(sum)]),
        ...sections
          .flatMap((section) => [...allParameters(section)])
          .flatMap(({ code, value }): [string, DigestText][] =>
            code === PARAM_IMAGE_DIGEST && isDigest(value) ? [["an image", value]] : [],
          ),
      ];
      const wrong = digests.filter(([, { algorithm }]) => !HASHES.includes(algorithm));
      return [...new Set(wrong.map(([what, { algorithm }]) => `the digest of ${what} is ${algorithm}`))];
    },
  },
];
