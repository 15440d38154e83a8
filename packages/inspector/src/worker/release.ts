// The open release as devices open it, and the kinds of devices that it distinguishes.

import {
  type Action,
  type DeviceKind,
  everyKind,
  explainManifest,
  limitedInterpreter,
  MOST_DEVICE_KINDS,
  MOST_TRIED_COMMANDS,
  slotsToTry,
} from "@firmseal/behaviour";
import { DEFAULT_ALG, EnvelopeDraft, privateKey, signedWithoutLog, signer } from "@firmseal/signer";
import { anchor, type Manifest, open, type Trust } from "@firmseal/verifier";
import { PARAM_CLASS_IDENTIFIER, PARAM_DEVICE_IDENTIFIER, PARAM_VENDOR_IDENTIFIER } from "@firmseal/verifier/tools";
import { TEXTS } from "../texts.js";
import { identifiersIn, type Main, slotsIn } from "./main-file.js";
import { Sentence } from "./sentence.js";

/** A manifest that was opened. `shift`: how many bytes further its offsets are than in the file. */
export interface Opened {
  manifest: Manifest;
  verified: boolean;
  shift: number;
}

/**
 * Opens the release under a policy, or, without one or if it refuses, with a key that is made for this and signs a
 * copy. Throws the refusal with which every device would refuse it.
 */
export async function openRelease({ bytes }: Main, trust: Trust | undefined): Promise<Opened> {
  try {
    if (trust) return { manifest: open(bytes, trust), verified: true, shift: 0 };
  } catch {
    // then as if the signer were trusted
  }
  const key = signer(privateKey(DEFAULT_ALG, crypto.getRandomValues(new Uint8Array(32))));
  const copy = (await signedWithoutLog(EnvelopeDraft.read(bytes), [key])).bytes;
  const manifest = open(copy, { anchors: [anchor(DEFAULT_ALG, key.publicKey)], threshold: 1 });
  return { manifest, verified: false, shift: copy.length - bytes.length };
}

/** The verifier of the tools, for trying a manifest on each kind of device. Throws Sentence at the start of a run. */
export const pageInterpreter = () =>
  limitedInterpreter(MOST_TRIED_COMMANDS, () => new Sentence(TEXTS.tooManyCommands(MOST_TRIED_COMMANDS)));

/**
 * Every kind of device that the release distinguishes. Throws Sentence if they are too many: all are tried, or none is.
 */
export function kindsOf(main: Main): { kinds: DeviceKind[]; slots: boolean } {
  const ids = (code: number) => {
    const distinct = identifiersIn(main, code);
    return distinct.length > 0 ? distinct : [new Uint8Array()];
  };
  const slots = slotsToTry(slotsIn(main));
  const [vendors, classes, devices] = [ids(PARAM_VENDOR_IDENTIFIER), ids(PARAM_CLASS_IDENTIFIER), ids(PARAM_DEVICE_IDENTIFIER)];
  const n = vendors.length * classes.length * devices.length * slots.length;
  if (n > MOST_DEVICE_KINDS) throw new Sentence(TEXTS.tooManyKinds(n, MOST_DEVICE_KINDS));
  return { kinds: everyKind(vendors, classes, devices, slots), slots: slots.length > 1 };
}

export type Fetch = Action & { uri: string };

/** What devices fetch from outside the envelope. */
export async function fetchesOf(main: Main): Promise<Fetch[]> {
  const { manifest } = await openRelease(main, undefined);
  const { behaviours } = explainManifest(pageInterpreter(), manifest, kindsOf(main).kinds, { slots: true });
  return behaviours.flatMap(({ install }) => install).filter((action): action is Fetch => action.uri !== undefined && !action.inside);
}
