// Trust files assembled by hand, as assemble.ts does with envelopes. Key "a" is the root, "b" the one for releases,
// unless a vector says otherwise.

import { ALG_ED25519, ALG_ESP256, TAG_SIGN } from "../../../packages/verifier/src/spec/cose.js";
import { ROLE_RELEASE, ROLE_ROOT, TRUST_CONTEXT } from "../../../packages/verifier/src/spec/trust.js";
import { array, ascii, bytes, int, type Key, map, type Pair, type Piece, publicKey, raw, sort, tag, text } from "./assemble.js";

export interface AnchorFields {
  alg?: Piece | null;
  key?: Piece | null;
  roles?: Piece | null;
  more?: Pair[];
}

export const rolesOf = (...roles: number[]): Piece => array(...roles.map(int));

/** An anchor; null leaves out what has to be there. */
export function listed(key: Key, roles: readonly number[], a: AnchorFields = {}): Piece {
  const pairs: Pair[] = [...(a.more ?? [])];
  if (a.alg !== null) pairs.push([int(1), a.alg ?? int(key === "p" ? ALG_ESP256 : ALG_ED25519)]);
  if (a.key !== null) pairs.push([int(2), a.key ?? bytes(publicKey(key))]);
  if (a.roles !== null) pairs.push([int(3), a.roles ?? rolesOf(...roles)]);
  return map(...sort(pairs));
}

export const ROOT: Piece = listed("a", [ROLE_ROOT]);
export const RELEASE: Piece = listed("b", [ROLE_RELEASE]);

export interface FileFields {
  version?: Piece | null;
  sequence?: Piece | null;
  anchors?: Piece[] | Piece | null;
  /** By role. */
  thresholds?: [number, Piece | number][] | null;
  name?: Piece | null;
  more?: Pair[];
}

const isItem = (x: Piece[] | Piece): x is Piece => typeof x[0] === "number";

/** What is signed; null leaves out what has to be there. */
export function listOf(f: FileFields = {}): Piece {
  const pairs: Pair[] = [...(f.more ?? [])];
  const anchors = f.anchors === undefined ? [ROOT, RELEASE] : f.anchors;
  const thresholds = (f.thresholds ?? [
    [ROLE_ROOT, 1],
    [ROLE_RELEASE, 1],
  ]) as [number, Piece | number][];
  if (f.version !== null) pairs.push([int(1), f.version ?? int(1)]);
  if (f.sequence !== null) pairs.push([int(2), f.sequence ?? int(1)]);
  if (anchors !== null) pairs.push([int(3), isItem(anchors) ? anchors : array(...anchors)]);
  if (f.thresholds !== null)
    pairs.push([int(4), map(...sort(thresholds.map(([role, n]) => [int(role), typeof n === "number" ? int(n) : n])))]);
  if (f.name !== null) pairs.push([int(5), f.name ?? text("board")]);
  return map(...sort(pairs));
}

export interface Signature {
  key?: Key;
  alg?: number;
  kid?: Piece;
  aad?: Piece;
  context?: string;
  signed?: Piece;
  spoil?: (signature: number[]) => Piece;
}

/** A signed trust file around a list. */
export async function fileOf(list: Piece, signatures: Signature[] = [{}], body: { tag?: number; payload?: Piece } = {}): Promise<Piece> {
  const out: Piece[] = [];
  for (const s of signatures) {
    const headers: Pair[] = [[int(1), int(s.alg ?? (s.key === "p" ? ALG_ESP256 : ALG_ED25519))]];
    if (s.kid) headers.push([int(4), bytes(s.kid)]);
    const bucket = map(...headers);
    const structure = array(
      text(s.context ?? "Signature"),
      bytes([]),
      bytes(bucket),
      bytes(s.aad ?? ascii(TRUST_CONTEXT)),
      bytes(s.signed ?? list),
    );
    out.push(array(bytes(bucket), map(), bytes(await raw({ key: s.key ?? "a", ...(s.spoil && { spoil: s.spoil }) }, structure))));
  }
  return tag(body.tag ?? TAG_SIGN, array(bytes([]), map(), body.payload ?? bytes(list), array(...out)));
}
