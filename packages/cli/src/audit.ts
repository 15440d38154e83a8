// Are the payloads at hand those that the manifest means? The interpreter runs the installation for every slot that the manifest tells
// apart, on a device that fits, and each payload must meet an image digest on the way.

import { createHash } from "node:crypto";
import { type Digest, type Effect, errors, INSTALL_SECTIONS, type Manifest, start, step } from "@firmseal/verifier";
import { feed } from "@firmseal/verifier/cbor";
import { HASHES } from "@firmseal/verifier/names";
import {
  COND_COMPONENT_SLOT,
  COND_IMAGE_MATCH,
  DIR_COPY,
  DIR_FETCH,
  DIR_INVOKE,
  DIR_SWAP,
  DIR_WRITE,
  PARAM_CLASS_IDENTIFIER,
  PARAM_COMPONENT_SLOT,
  PARAM_DEVICE_IDENTIFIER,
  PARAM_URI,
  PARAM_VENDOR_IDENTIFIER,
} from "@firmseal/verifier/spec";
import { Failure, isRefusal } from "./failure.js";
import { hintOf, meaningOf } from "./hints.js";
import { hashFile } from "./io.js";
import { allParameters, steps } from "./tree.js";
import { warn } from "./ui.js";

type HashName = NonNullable<Parameters<typeof hashFile>[1]>;

/** A payload that is at hand: in the envelope, or a file. */
interface Held {
  uri: string;
  size: number;
  hash(alg: HashName): Promise<Uint8Array>;
}

function refuse(code: keyof typeof errors, uri: string): never {
  throw new Failure(1, code, errors[code], `refused: payload ${uri}: ${meaningOf(errors[code])}`, hintOf(errors[code]));
}

/** URIs that the manifest fetches and the envelope does not hold. */
export function outsideUris(m: Manifest): string[] {
  const uris = m.commands.flatMap((c) =>
    [...allParameters(steps(m.r, c.content))].filter((p) => p.code === PARAM_URI).map((p) => String(p.value)),
  );
  return [...new Set(uris)].filter((uri) => !m.payloads.some((p) => p.uri === uri));
}

/** `--payload` values as URI → file: FILE alone stands for the one URI that is outside, or for all of them. */
export function payloadFiles(m: Manifest, values: readonly string[]): Map<string, string> {
  const outside = outsideUris(m);
  const out = new Map<string, string>();
  for (const value of values) {
    const known = outside.filter((uri) => value.startsWith(`${uri}=`)).sort((a, b) => b.length - a.length)[0];
    if (known !== undefined) out.set(known, value.slice(known.length + 1));
    else if (values.length === 1 && outside.length > 0) for (const uri of outside) out.set(uri, value);
    else refuse("PAYLOAD_UNREFERENCED", value);
  }
  return out;
}

function held(m: Manifest, files: Map<string, string>, sizes: Map<string, number>): Map<string, Held> {
  const all = new Map<string, Held>();
  for (const p of m.payloads)
    all.set(p.uri, {
      uri: p.uri,
      size: p.content.n,
      hash: async (alg) => {
        const h = createHash(alg.replace("-", ""));
        feed(m.r, p.content, { update: (bytes) => void h.update(bytes as Uint8Array), digest: () => [] });
        return new Uint8Array(h.digest());
      },
    });
  for (const [uri, path] of files)
    all.set(uri, { uri, size: sizes.get(path) ?? 0, hash: async (alg) => (await hashFile(path, alg)).digest });
  return all;
}

/** A device that the manifest fits, the slots that it tells apart, and the sections that are at hand. */
function audience(m: Manifest) {
  const sequences = [...m.commands.map((c) => c.content), ...(m.shared ? [m.shared] : [])].map((s) => steps(m.r, s));
  const set = sequences.flatMap((s) => [...allParameters(s)]);
  // identifiers as a device would hold them: a UUID without its CBOR head, a private enterprise number with its tag
  const ids = (code: number) => set.filter((p) => p.code === code).map((p) => (typeof p.value === "string" ? p.raw.slice(1) : p.raw));
  const slots = [...new Set(set.filter((p) => p.code === PARAM_COMPONENT_SLOT).map((p) => Number(p.value)))];
  return {
    identity: { vendor: ids(PARAM_VENDOR_IDENTIFIER), class: ids(PARAM_CLASS_IDENTIFIER), device: ids(PARAM_DEVICE_IDENTIFIER) },
    slots: slots.length > 0 ? slots : [0],
    sections: INSTALL_SECTIONS.filter((s) => !m.absent.includes(s)),
  };
}

/**
 * Checks the payloads of the envelope and those in `files` (URI → path). Throws a Failure with the refusal that a device would give:
 * another size, another digest, no digest at all, or nothing that fetches it.
 */
export async function checkPayloads(m: Manifest, files: Map<string, string>): Promise<void> {
  const digests = new Map<string, Promise<Uint8Array>>();
  const sizes = new Map<string, number>();
  for (const path of new Set(files.values())) {
    const d = await hashFile(path);
    sizes.set(path, d.size);
    for (const [uri, p] of files) if (p === path) digests.set(`sha-256 ${uri}`, Promise.resolve(d.digest));
  }
  const payloads = held(m, files, sizes);
  if (payloads.size === 0) return;

  const { identity, slots, sections } = audience(m);
  const met = new Set<string>();

  async function matches(payload: Held, expected: Digest): Promise<boolean> {
    const alg = HASHES[expected.alg] as HashName;
    const key = `${alg} ${payload.uri}`;
    const digest = await (digests.get(key) ?? payload.hash(alg));
    digests.set(key, Promise.resolve(digest));
    return Buffer.from(digest).equals(Uint8Array.from(expected.bytes));
  }

  for (const slot of slots) {
    const content = new Map<number, Held | undefined>();
    const run = start(m, sections, identity);
    let e: Effect | undefined = step(run);
    while (e) {
      let ok = true;
      const here = content.get(e.component);
      if (e.op === COND_COMPONENT_SLOT) ok = e.slot === slot;
      else if (e.op === DIR_FETCH) {
        const payload = payloads.get(e.uri as string);
        content.set(e.component, payload);
        if (payload && e.size !== undefined && e.size !== payload.size) refuse("PAYLOAD_SIZE", payload.uri);
        // a device reads the component back against the digest that is set here, whether the manifest asks again or not
        if (payload && e.digest) {
          if (!(await matches(payload, e.digest))) refuse("IMAGE_MISMATCH", payload.uri);
          met.add(payload.uri);
        }
      } else if (e.op === DIR_COPY) content.set(e.component, content.get(e.source as number));
      else if (e.op === DIR_WRITE) content.delete(e.component);
      else if (e.op === DIR_SWAP) {
        const other = content.get(e.source as number);
        content.set(e.source as number, here);
        content.set(e.component, other);
      } else if (e.op === COND_IMAGE_MATCH && here) {
        ok = await matches(here, e.digest as Digest);
        if (ok) met.add(here.uri);
      }
      try {
        e = step(run, ok);
      } catch (x) {
        // a slot for which the release holds nothing is no fault of the payloads; a payload that does not match is
        if (!isRefusal(x) || (x.code === errors.IMAGE_MISMATCH && here)) {
          if (here) refuse("IMAGE_MISMATCH", here.uri);
          throw x;
        }
        break;
      }
    }
  }
  for (const uri of payloads.keys()) if (!met.has(uri)) refuse("DIGEST_UNSET", uri);
}

/** The refusal that every device gives this release, whatever its payloads are; undefined where there is none. */
function certainRefusal(m: Manifest): keyof typeof errors | undefined {
  const { identity, slots, sections } = audience(m);
  for (const slot of slots) {
    const run = start(m, sections, identity);
    try {
      let e = step(run);
      while (e) {
        if (e.op === DIR_INVOKE) return "INVOKE_MISPLACED";
        if (e.op === DIR_FETCH || e.op === DIR_WRITE || e.op === DIR_COPY || e.op === DIR_SWAP) {
          if (!e.digest) return "DIGEST_UNSET";
          if (!(run.vendor && run.class)) return "IDENTITY_UNCHECKED";
        }
        e = step(run, e.op !== COND_COMPONENT_SLOT || e.slot === slot);
      }
    } catch (x) {
      if (!isRefusal(x)) throw x;
    }
  }
  return undefined;
}

/** A release that is signed well and that no device will take is a surprise in the field; it is told where it is made and verified. */
export function warnOfRefusal(m: Manifest): void {
  const name = certainRefusal(m);
  if (name) warn(`devices will refuse this release: ${meaningOf(errors[name])} (${name})`);
}
