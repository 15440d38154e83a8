// Trust files: as they are, read and accepted; and lists of any content, signed again by the root (loose.ts), which a
// device then asks for a policy. Nothing but numbered refusals; and what is accepted without being signed again was
// signed.

import { type Bytes, embeddedTrust, policyOf, type Source, type TrustStore, trustFileUnchecked } from "@firmseal/verifier";
import { readItem, TRUST_CONTEXT } from "@firmseal/verifier/tools";
import { KeyError } from "../../packages/signer/src/key-error.js";
import { describeTrust } from "../../packages/signer/src/trust/description.js";
import { array, ascii, bytes, map, tag, text } from "../../test-vectors/src/pieces/assemble.js";
import { loosened, tidied } from "../common/loose.js";
import { sha, who } from "../common/release.js";
import { signed } from "../common/seal.js";
import { host, seedTrustFiles, trust } from "../common/vectors.js";
import { alike, Finding, refusal, type Target } from "../common/verdict.js";

/** The list of a file, signed by key "a". */
function fileOf(list: Uint8Array): Uint8Array {
  const bucket = [0xa1, 0x01, 0x32];
  const structure = array(text("Signature"), bytes([]), bytes(bucket), bytes(ascii(TRUST_CONTEXT)), bytes(list));
  const signature = array(bytes(bucket), map(), bytes(signed(structure)));
  return Uint8Array.from(tag(98, array(bytes([]), map(), bytes(list), array(signature))));
}

const files = seedTrustFiles();
const listOf = (file: Uint8Array): Uint8Array | undefined => {
  try {
    return Uint8Array.from(embeddedTrust(file).payload);
  } catch {
    return undefined;
  }
};
/** The files of a chain, in sequence, as long as they are CBOR items. */
function filesOf(chain: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  try {
    for (let at = 0; at < chain.length; ) {
      const { end } = readItem(chain, at);
      found.push(chain.subarray(at, end));
      at = end;
    }
  } catch {
    // what follows is neither an item nor a file
  }
  return found;
}
const genuine = new Set(
  files
    .flatMap(filesOf)
    .map(listOf)
    .filter((list) => list !== undefined)
    .map(sha),
);
/** A list that came before. */
const before = embeddedTrust(files.find((file) => refusal(() => trustFileUnchecked(file, trust, host)) === 0) as Uint8Array);

/** Files as they are; a list in the loose form follows an octet that is not a tag. */
export const seeds = () => [
  ...files,
  ...files.flatMap((file) => listOf(file) ?? []).map((list) => Buffer.concat([Uint8Array.of(0), loosened(list)])),
];

function asked(store: TrustStore): void {
  for (let role = 0; role <= 5; role++) refusal(() => policyOf(store, role, who));
  try {
    describeTrust(store);
  } catch (e) {
    // keys that this tool has no algorithm for, or that are not keys
    if (!(e instanceof KeyError)) throw e;
  }
}

function judged(file: Uint8Array, wasSigned: boolean): void {
  alike(file, (input) => asked(embeddedTrust(input)));
  for (const root of [trust, before]) {
    alike(file, (input: Bytes | Source) => {
      const store = trustFileUnchecked(input, root, host);
      if (!wasSigned && !genuine.has(sha(store.payload))) throw new Finding("an unsigned list was accepted");
      asked(store);
      // the last of a chain is what a device stores, and reads again at each start
      const read = refusal(() => embeddedTrust(store.file as Bytes));
      if (read !== 0) throw new Finding(`a list is accepted whose file embeddedTrust() refuses with ${read}`);
    });
  }
}

export const fuzz: Target = (input) => {
  if (input[0] !== 0) return judged(input, false);
  const [list] = tidied(input.subarray(1));
  if (list) judged(fileOf(list), true);
};
