// Thresholds for families of algorithms: two keys of one kind and one of another, and what a device makes of a family
// that it lacks.

import { ALG_ED25519, ALG_EDDSA, ALG_ES256, ALG_ESP256 } from "../../../packages/verifier/src/spec/cose.js";
import * as E from "../../../packages/verifier/src/spec/errors.generated.js";
import { ROLE_DEBUG, ROLE_RECOVERY, ROLE_RELEASE, ROLE_ROOT } from "../../../packages/verifier/src/spec/trust.js";
import type { Vector } from "../../index.mjs";
import {
  array,
  bytes,
  envelope,
  hex,
  IMAGE,
  int,
  type Key,
  map,
  OTHER,
  type Pair,
  type Piece,
  payload,
  update,
} from "../pieces/assemble.js";
import { type FileFields, fileOf, listed, listOf, ROOT, type Signature } from "../pieces/trust-file.js";
import { adder, type Made, pair } from "./adder.js";

/** An algorithm that no device has. */
const UNKNOWN = -9999;
const ED = [ALG_EDDSA, ALG_ED25519];
const P256 = [ALG_ES256, ALG_ESP256];

type Rule = readonly [needed: number, algs: readonly number[]];
const FAMILIES = (...all: [number, ...Rule[]][]): Pair =>
  pair(8, map(...all.map(([role, ...rules]): Pair => pair(role, array(...rules.map(([n, algs]) => array(int(n), ...algs.map(int))))))));
const unknown = (role: number): Piece => listed("b", [role], { key: bytes([1, 2, 3]), alg: int(UNKNOWN) });

/** Roots a and p, of two families; b signs releases. One signature is enough, but each family has to have signed. */
const roots = (...rules: Rule[]): FileFields => ({
  anchors: [ROOT, listed("p", [ROLE_ROOT]), listed("b", [ROLE_RELEASE])],
  more: rules.length > 0 ? [FAMILIES([ROLE_ROOT, ...rules])] : [],
});
/** Release keys b and p, of two families. */
const releases = (rules: Rule[], more: { [key in "b" | "p"]?: Pair[] } = {}, extra: Piece[] = []): FileFields => ({
  anchors: [ROOT, listed("b", [ROLE_RELEASE], { more: more.b ?? [] }), listed("p", [ROLE_RELEASE], { more: more.p ?? [] }), ...extra],
  more: [FAMILIES([ROLE_RELEASE, ...rules])],
});
const BOTH: Rule[] = [
  [1, ED],
  [1, P256],
];
const file = (f: FileFields, by: Signature[] = [{}]): Promise<Piece> => fileOf(listOf(f), by);
const signedBy = (...keys: Key[]): Promise<Piece> => envelope(update(), { blocks: keys.map((key) => ({ key })), rest: [payload()] });

export async function families(): Promise<Made[]> {
  const all: Made[] = [];
  const takes = async (name: string, about: string, f: FileFields, by: Signature[], before?: Piece) =>
    all.push({
      name: `trust-family-${name}`,
      about,
      action: "trust",
      envelope: hex(await file({ sequence: int(2), ...f }, by)),
      ...(before && { previous: hex(before) }),
      expect: { ok: true, sequence: "2" },
    });
  const plain = await file({});
  const both: Signature[] = [{}, { key: "p" }];
  await takes("both", "one root of each of two families has signed", roots(...BOTH), both, plain);
  await takes("next", "after a list with families, one root of each has signed", roots(), both, await file(roots(...BOTH), both));
  await takes(
    "lacking",
    "a family of which the device has no algorithm does not count",
    { anchors: [ROOT, unknown(ROLE_ROOT), listed("b", [ROLE_RELEASE])], more: [FAMILIES([ROLE_ROOT, [1, ED], [1, [UNKNOWN]]])] },
    [{}],
    plain,
  );
  const installs = async (name: string, about: string, f: FileFields, ...keys: Key[]) =>
    all.push({
      name: `family-${name}`,
      about,
      action: "install",
      envelope: hex(await signedBy(...keys)),
      store: { file: hex(await file(f)), role: ROLE_RELEASE },
      expect: { ok: true, sequence: "7", current: [hex(IMAGE), ""], invoked: [] },
    });
  await installs("both", "a release key of each of two families has signed", releases(BOTH), "b", "p");
  await installs(
    "lacking",
    "a family of which the device has no algorithm does not count",
    releases([[1, [UNKNOWN]]], {}, [unknown(ROLE_RELEASE)]),
    "b",
  );
  return all;
}

export async function ofFamilies(): Promise<Vector[]> {
  const { all, add } = adder();
  const list = async (code: number, name: string, about: string, more: Pair) =>
    add(code, `trust-family-${name}`, about, await file({ more: [more] }), { action: "trust" });
  await list(E.TRUST_ROLE, "role-5", "families of a role that is not known", FAMILIES([5, [1, ED]]));
  await list(E.TRUST_ROLE_EMPTY, "role-empty", "families of a role that no key has", FAMILIES([ROLE_DEBUG, [1, ED]]));
  await list(E.TRUST_THRESHOLD, "0", "a family of which no key has to sign", FAMILIES([ROLE_RELEASE, [0, ED]]));
  await list(E.TRUST_THRESHOLD, "too-many", "a family needs more keys than it has", FAMILIES([ROLE_RELEASE, [2, ED]]));
  await list(E.TRUST_THRESHOLD, "without-keys", "a family of which the role has no key", FAMILIES([ROLE_RELEASE, [1, P256]]));
  await list(E.TRUST_THRESHOLD, "of-other-role", "the keys of the family have another role", FAMILIES([ROLE_ROOT, [2, ED]]));
  await list(E.TRUST_ALG, "mac", "a family of MAC algorithms", FAMILIES([ROLE_RELEASE, [1, [5]]]));
  await list(E.TRUST_LIMIT, "none", "an empty list of families", FAMILIES([ROLE_RELEASE]));
  await list(E.TRUST_LIMIT, "no-algorithm", "a family without algorithms", FAMILIES([ROLE_RELEASE, [1, []]]));
  await list(E.TRUST_LIMIT, "17", "17 families", FAMILIES([ROLE_RELEASE, ...Array.from({ length: 17 }, (): Rule => [1, ED])]));
  await list(
    E.TRUST_LIMIT,
    "16-algorithms",
    "a family of 16 algorithms",
    FAMILIES([ROLE_RELEASE, [1, Array.from({ length: 16 }, (_, i) => -20 - i)]]),
  );
  await list(E.CBOR_TYPE, "no-map", "families that are no map", pair(8, int(1)));

  const plain = await file({});
  const after = async (code: number, name: string, about: string, f: FileFields, before: Piece) =>
    add(code, `trust-family-${name}`, about, await file({ sequence: int(2), ...f }), { action: "trust", previous: hex(before) });
  await after(E.TRUST_SIGNERS, "one-of-two", "no root of the second family of the list has signed", roots(...BOTH), plain);
  await after(
    E.TRUST_PREVIOUS,
    "previous",
    "no root of the second family of the list before has signed: the families cannot be dropped without it",
    roots(),
    await file(roots(...BOTH), [{}, { key: "p" }]),
  );
  await after(
    E.TRUST_SIGNERS,
    "lacking-all",
    "the device has the algorithm of none of the families: the threshold stays",
    { anchors: [unknown(ROLE_ROOT), listed("b", [ROLE_RELEASE])], more: [FAMILIES([ROLE_ROOT, [1, [UNKNOWN]]])] },
    plain,
  );

  const refused = async (code: number, name: string, about: string, f: FileFields, role: number, ...keys: Key[]) =>
    add(code, `family-${name}`, about, await signedBy(...keys), { action: "install", store: { file: hex(await file(f)), role } });
  await refused(E.SIGNATURE_FAMILY, "missing", "no key of the second family has signed", releases(BOTH), ROLE_RELEASE, "b");
  await refused(
    E.SIGNATURE_FAMILY,
    "window",
    "the key of the second family does not count for this number",
    releases(BOTH, { p: [pair(8, int(6))] }),
    ROLE_RELEASE,
    "b",
    "p",
  );
  await refused(
    E.TRUST_UNUSABLE,
    "scope",
    "the key of the second family is for another class",
    releases(BOTH, { p: [pair(6, bytes(OTHER))] }),
    ROLE_RELEASE,
    "b",
    "p",
  );
  await refused(
    E.TRUST_UNUSABLE,
    "lacking-part",
    "the device has one of two algorithms of a family, and too few of its keys",
    releases([[2, [...P256, UNKNOWN]]], {}, [unknown(ROLE_RELEASE)]),
    ROLE_RELEASE,
    "b",
    "p",
  );
  await refused(
    E.SIGNATURE_FAMILY,
    "of-role",
    "the families of a role are not those of another: recovery needs both",
    {
      anchors: [ROOT, listed("b", [ROLE_RELEASE, ROLE_RECOVERY]), listed("p", [ROLE_RELEASE, ROLE_RECOVERY])],
      thresholds: [
        [ROLE_ROOT, 1],
        [ROLE_RELEASE, 1],
        [ROLE_RECOVERY, 1],
      ],
      more: [FAMILIES([ROLE_RELEASE, [1, ED]], [ROLE_RECOVERY, ...BOTH])],
    },
    ROLE_RECOVERY,
    "b",
  );
  return all;
}
