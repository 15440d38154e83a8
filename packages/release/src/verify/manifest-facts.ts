// What a manifest names: parameters, URIs outside its envelope, and the kinds of device that it distinguishes.

import { type DeviceKind, everyKind, slotsToTry } from "@firmseal/behaviour";
import { grouped, tooMuch } from "@firmseal/keys/internal";
import type { Identity, Manifest } from "@firmseal/verifier";
import {
  COND_CLASS_IDENTIFIER,
  COND_COMPONENT_SLOT,
  COND_DEVICE_IDENTIFIER,
  COND_VENDOR_IDENTIFIER,
  equalBytes,
  PARAM_CLASS_IDENTIFIER,
  PARAM_COMPONENT_SLOT,
  PARAM_DEVICE_IDENTIFIER,
  PARAM_URI,
  PARAM_VENDOR_IDENTIFIER,
  TRUST_COMPONENT,
  toHex,
} from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";
import { allParameters, sequenceCommands } from "./tree.js";

/** An object with commands: a manifest, verified or not. */
export type Commands = Pick<Manifest, "input" | "commands" | "shared">;

/** The same, with the payloads in its envelope. */
export type WithPayloads = Commands & Pick<Manifest, "payloads">;

/** Conditions on what a device is, which nothing that a device runs can change: the parameter that each compares. */
export const IDENTITY: { readonly [condition: number]: number } = {
  [COND_VENDOR_IDENTIFIER]: PARAM_VENDOR_IDENTIFIER,
  [COND_CLASS_IDENTIFIER]: PARAM_CLASS_IDENTIFIER,
  [COND_DEVICE_IDENTIFIER]: PARAM_DEVICE_IDENTIFIER,
  [COND_COMPONENT_SLOT]: PARAM_COMPONENT_SLOT,
};

/** Whether a component is that of trust files. */
export const isTrustComponent = (id: readonly ArrayLike<number>[]): boolean =>
  id.length === TRUST_COMPONENT.length && id.every((part, i) => equalBytes(part, TRUST_COMPONENT[i] ?? []));

const setBy = new WeakMap<Commands, ReturnType<typeof parametersOf>>();

function parametersOf(m: Commands) {
  const sequences = [...m.commands.map((c) => c.inside), ...(m.shared ? [m.shared] : [])];
  return sequences.flatMap((s) => [...allParameters(sequenceCommands(m.input, s))]);
}

/** Returns all parameters that the available sequences set, including the shared sequence. A manifest is read once. */
export function manifestParameters(m: Commands) {
  const all = setBy.get(m) ?? parametersOf(m);
  setBy.set(m, all);
  return all;
}

/** Returns the URIs that the manifest fetches and the envelope does not contain. */
export function outsideUris(m: WithPayloads): string[] {
  const uris = [...manifestParameters(m)].filter((p) => p.code === PARAM_URI).map((p) => String(p.value));
  return [...new Set(uris)].filter((uri) => !m.payloads.some((p) => p.uri === uri));
}

/**
 * The values of one kind of identifier in a manifest, as a device stores them: a UUID without its CBOR head, a private
 * enterprise number with its tag.
 */
function identifierValues(set: ReturnType<typeof manifestParameters>, code: number): Uint8Array[] {
  const values = set.filter((p) => p.code === code).map((p) => (typeof p.value === "string" ? p.raw.slice(1) : p.raw));
  const unique = [...new Map(values.map((v) => [toHex(v), v])).values()];
  return unique.length > 0 ? unique : [new Uint8Array()];
}

/**
 * Refuses a manifest that distinguishes too many kinds of device, before creating any of them: all must be tried, or
 * none counts as good.
 */
function countKinds(lists: readonly (readonly unknown[])[], most: number, what: string): void {
  const n = lists.reduce((product, list) => product * list.length, 1);
  if (n > most)
    throw tooMuch(
      `the manifest distinguishes ${grouped(n)} kinds of device`,
      `at most ${most} are ${what}: make a release for fewer of them`,
    );
}

/**
 * Returns every pair of a vendor and a class in the manifest, or one empty pair if it has none. Throws a Failure if
 * there are too many.
 */
export function namedIdentities(m: Commands): Identity[] {
  const set = manifestParameters(m);
  const vendors = identifierValues(set, PARAM_VENDOR_IDENTIFIER);
  const classes = identifierValues(set, PARAM_CLASS_IDENTIFIER);
  countKinds([vendors, classes], LIMITS.trustKinds, "checked against a trust file");
  return vendors.flatMap((vendor) => classes.map((id) => ({ vendor: [vendor], class: [id] })));
}

function identifiers(set: ReturnType<typeof manifestParameters>): [Uint8Array[], Uint8Array[], Uint8Array[]] {
  return [
    identifierValues(set, PARAM_VENDOR_IDENTIFIER),
    identifierValues(set, PARAM_CLASS_IDENTIFIER),
    identifierValues(set, PARAM_DEVICE_IDENTIFIER),
  ];
}

/**
 * Returns every kind of device that the manifest distinguishes: each vendor, class, device and slot. Throws a Failure
 * if there are too many.
 */
export function deviceKinds(m: Commands): DeviceKind[] {
  const set = manifestParameters(m);
  const [vendors, classes, devices] = identifiers(set);
  const slots = slotsToTry(set.filter((p) => p.code === PARAM_COMPONENT_SLOT).map((p) => Number(p.value)));
  countKinds([vendors, classes, devices, slots], LIMITS.deviceKinds, "tried");
  return everyKind(vendors, classes, devices, slots);
}

/** Devices with all identities at once, as after an acquisition: in each slot, with and without the images. */
export function withAllIdentities(m: Commands): DeviceKind[] {
  const [vendor, classes, device] = identifiers(manifestParameters(m));
  const places = new Map(deviceKinds(m).map((kind) => [`${kind.slot} ${kind.there}`, kind]));
  return [...places.values()].map((kind) => ({ ...kind, identity: { vendor, class: classes, device } }));
}
