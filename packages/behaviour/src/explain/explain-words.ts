// An explained release in plain English. `explain`, `diff` and reports use it.

import { grouped } from "../text.js";
import type { Action, Behaviour, Explained } from "./explain.js";

/** Text that cannot be taken for hex, or for an empty identifier. */
const PLAIN = /^(?!([0-9a-f]{2})+$|\(empty\)$)[!-.0-~]+$/;

/**
 * Names a component.
 *
 * @param parts - The parts of its identifier, in hex.
 * @returns The text of its parts if they are printable and do not look like hex, or else their hex.
 */
export function componentWords(parts: readonly string[]): string {
  const texts = parts.map((hex) => {
    const text = hex.replace(/../g, (byte) => String.fromCharCode(Number.parseInt(byte, 16)));
    return PLAIN.test(text) ? text : hex;
  });
  return texts.join("/") || "(empty)";
}

/**
 * Describes what a component must hold.
 *
 * @param expected - The length and the digest that are expected.
 * @returns The length, and the beginning of the digest. Empty if nothing is expected.
 */
export function expectationWords({ bytes, digest }: Pick<Action, "bytes" | "digest">): string {
  const length = bytes === undefined ? [] : [`${grouped(bytes)} ${bytes === 1 ? "byte" : "bytes"}`];
  return [...length, ...(digest ? [`${digest.algorithm} ${digest.hex.slice(0, 16)}…`] : [])].join(", ");
}

/** How actionWords() says an action. */
export interface ActionWording {
  /** Without what a component must hold. */
  plain?: boolean;
}

/**
 * Describes one action in words.
 *
 * @param action - The action.
 * @param components - The names of the components of the manifest, in its order.
 * @param options - What to leave out.
 * @returns A sentence without a subject.
 */
export function actionWords(action: Action, components: readonly (readonly string[])[], { plain = false }: ActionWording = {}): string {
  const name = (i: number) => (components.length === 1 ? "the component" : `component ${componentWords(components[i] ?? [])}`);
  const here = name(action.component);
  const expected = expectationWords(action);
  const suffix = plain || expected === "" ? "" : ` (${expected})`;
  switch (action.what) {
    case "fetch":
      return `gets ${action.uri}${action.inside ? ", which the envelope contains," : ""} into ${here}${suffix}`;
    case "write":
      return `writes ${expected} of the manifest into ${here}`;
    case "copy":
      return `copies ${name(action.source as number)} to ${here}${suffix}`;
    case "swap":
      return `swaps ${here} with ${name(action.source as number)}${suffix}`;
    case "compare":
      return `checks that ${here} has the image${suffix}`;
    case "check-content":
      return `checks that ${here} has exactly the content in the manifest (${expected})`;
    case "start":
      return `starts ${here}`;
  }
}

const deviceWords = ({ vendor, class: name, device }: Behaviour["devices"][number]) =>
  `vendor ${vendor}, class ${name}${device === undefined ? "" : `, device ${device}`}`;

/**
 * Describes whose behaviour it is. Names at most three devices.
 *
 * @param behaviour - The devices, their slot, and whether they have the images.
 * @returns The heading of the behaviour.
 */
export function whoWords({ devices, slot, has }: Pick<Behaviour, "devices" | "slot" | "has">): string {
  const named = devices.slice(0, 3).map(deviceWords).join("; ");
  const more = devices.length > 3 ? `; and ${devices.length - 3} more` : "";
  return `${named}${more}${slot === undefined ? "" : `, slot ${slot}`}${has === undefined ? "" : has ? ", with this image already installed" : ", without this image"}`;
}

/**
 * Describes actions in their order. A check that follows the same check is left out: installation and validation both
 * begin with it.
 *
 * @param actions - The actions.
 * @param components - The components of the manifest.
 * @returns A line for each.
 */
export function actionLines(actions: readonly Action[], components: readonly (readonly string[])[]): string[] {
  const lines = actions.map((action) => actionWords(action, components));
  return lines.filter((line, i) => actions[i]?.what !== "compare" || line !== lines[i - 1]);
}

function numbered(title: string, actions: readonly Action[], components: readonly (readonly string[])[]): string[] {
  if (actions.length === 0) return [`  ${title}: nothing`];
  return [`  ${title}:`, ...actionLines(actions, components).map((line, i) => `    ${i + 1}. ${line}`)];
}

/**
 * Describes how the installation, or each start, ends.
 *
 * @param refused - The refusal, with its words.
 * @returns The end of a sentence.
 */
export function refusedWords({ during, words, reason }: NonNullable<Behaviour["refused"]>): string {
  return `${during === "start" ? "start: " : ""}refuses: ${words} (${reason})`;
}

/**
 * Describes a whole release in words.
 *
 * @param explained - The result of explainManifest().
 * @returns The lines, without line ends.
 */
export function explainedLines({ behaviours, components }: Explained): string[] {
  return behaviours.flatMap((one) => [
    `${whoWords(one)}:`,
    ...numbered("installation", one.install, components),
    ...(one.refused ? [`  ${refusedWords(one.refused)}`] : numbered("start", one.start, components)),
  ]);
}
