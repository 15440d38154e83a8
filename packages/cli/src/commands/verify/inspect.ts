import { usage, visible, warn } from "@firmseal/keys";
import {
  digestText,
  readEnvelope,
  type Signature,
  type ManifestStep as Step,
  signersOf,
  steps,
  testKeysAmong,
  type Value,
} from "@firmseal/release";
import { toHex } from "@firmseal/signer";
import {
  COMPONENT_TEXT_NAMES,
  decodeEnvelope,
  formatSequence,
  MANIFEST_NAMES,
  PARAM_IMAGE_SIZE,
  type Slice,
  TEXT_NAMES,
  type UnverifiedEnvelope,
} from "@firmseal/verifier/tools";
import { data, json } from "../../show/ui.js";

export interface InspectOptions {
  json?: boolean;
  diag?: boolean;
}

const utf8 = new TextDecoder();
const hex = (bytes: ArrayLike<number>) => Uint8Array.from(bytes);
const decode = (bytes: ArrayLike<number>) => utf8.decode(hex(bytes));

/** Commands in words, as what they make a device do. Those that take parameters are told by what is set. */
const WORDS: { [name: string]: string } = {
  "condition-vendor-identifier": "the device must be of this vendor",
  "condition-class-identifier": "the device must be of this class",
  "condition-device-identifier": "it must be this very device",
  "condition-image-match": "the image must match its digest",
  "condition-component-slot": "only for this slot",
  "condition-check-content": "the component must hold exactly this content",
  "condition-abort": "stop",
  "directive-write": "write the content",
  "directive-fetch": "fetch the payload",
  "directive-copy": "copy the source component here",
  "directive-invoke": "start the image",
  "directive-swap": "swap with the source component",
  "directive-run-sequence": "run",
};

function valueText(value: Value): string {
  if (typeof value !== "object") return visible(String(value));
  if ("algorithm" in value) return `${value.algorithm} ${value.hex}`;
  return "hex" in value
    ? value.hex.length > 64
      ? `${value.hex.slice(0, 64)}… (${value.hex.length / 2} bytes)`
      : value.hex
    : `cbor ${value.cbor}`;
}

function tell(list: readonly Step[], indent: string): string[] {
  return list.flatMap((step): string[] => {
    if (step.index !== undefined)
      return [`${indent}for ${step.index === true ? "every component" : `component ${step.index.join(", ")}`}:`];
    if (step.parameters)
      return step.parameters.map((p) => `${indent}set ${p.name} = ${valueText(p.value)}${p.code === PARAM_IMAGE_SIZE ? " bytes" : ""}`);
    if (step.sequences && step.name === "directive-try-each")
      return [
        `${indent}the first of these that fits:`,
        ...step.sequences.flatMap((s, i) =>
          s ? [`${indent}  ${i + 1}.`, ...tell(s, `${indent}     `)] : [`${indent}  ${i + 1}. or none`],
        ),
      ];
    if (step.sequences)
      return [`${indent}${WORDS[step.name] ?? step.name}:`, ...step.sequences.flatMap((s) => (s ? tell(s, `${indent}  `) : []))];
    const words = WORDS[step.name];
    return [`${indent}${words ? `${words} (${step.name})` : step.name}`];
  });
}

function plain(list: readonly Step[]): object[] {
  return list.map((s) => ({
    command: s.name,
    ...(s.policy === undefined ? {} : { policy: s.policy }),
    ...(s.index === undefined ? {} : { index: s.index }),
    ...(s.parameters ? { parameters: Object.fromEntries(s.parameters.map((p) => [p.name, p.value])) } : {}),
    ...(s.sequences ? { sequences: s.sequences.map((x) => (x ? plain(x) : null)) } : {}),
  }));
}

/** Everything that an envelope says, as plain values. Nothing of it has been verified but structure and digests. */
function facts(outline: UnverifiedEnvelope, signatures: readonly Signature[], bytes: number) {
  const { manifest: m, envelope } = outline;
  return {
    ok: true,
    code: 0,
    bytes,
    verified: false,
    digest: outline.digest && digestText(outline.digest),
    signatures: signatures.map(({ alg, kid, testKey }) => ({ alg, kid, ...(testKey === undefined ? {} : { testKey }) })),
    sequence: formatSequence(m.sequence),
    components: m.components.map((id) => id.map(toHex)),
    referenceUri: m.referenceUri,
    shared: m.shared ? plain(steps(envelope.input, m.shared)) : [],
    sections: Object.fromEntries(m.commands.map((c) => [MANIFEST_NAMES[c.number], plain(steps(envelope.input, c.inside))])),
    severed: m.digests.map((d) => ({
      element: MANIFEST_NAMES[d.number],
      present: !outline.absent.includes(d.number),
      digest: digestText(d.sum),
    })),
    text: outline.text.map((t) => ({
      language: decode(t.language),
      ...Object.fromEntries(t.texts.map((x) => [TEXT_NAMES[x.key], decode(x.text)])),
      components: t.components.map((c) => ({
        component: c.id.map(toHex),
        ...Object.fromEntries(c.texts.map((x) => [COMPONENT_TEXT_NAMES[x.key], decode(x.text)])),
      })),
    })),
    payloads: envelope.payloads.map((p) => ({ uri: p.uri, bytes: p.content.n })),
    testKeys: testKeysAmong(signatures),
  };
}

function report(path: string, outline: UnverifiedEnvelope, f: ReturnType<typeof facts>): string {
  const { manifest: m, envelope } = outline;
  const lines = [`${visible(path)}: SUIT envelope, ${f.bytes} bytes (signatures are not verified here)`];
  lines.push(`sequence number  ${f.sequence}`, `manifest digest  ${f.digest ? `${f.digest.algorithm} ${f.digest.hex}` : "none"}`);
  lines.push(
    `signatures       ${f.signatures.map((s) => `${s.alg}${s.kid ? ` kid ${s.kid}` : ""}${s.testKey ? ` by test key ${s.testKey}` : ""}`).join("; ") || "none"}`,
  );
  for (const [i, id] of f.components.entries()) lines.push(`component ${i}      ${id.join(" / ") || "(empty)"}`);
  for (const p of f.payloads) lines.push(`payload          ${p.uri}, ${p.bytes} bytes, in the envelope`);
  if (f.referenceUri) lines.push(`reference URI    ${f.referenceUri}`);
  for (const s of f.severed)
    lines.push(`severed          ${s.element}: ${s.present ? "in the envelope" : "not at hand"}, ${s.digest.algorithm} ${s.digest.hex}`);
  // nothing that a manifest holds is spread over arguments: there is no room for so many
  const sections: [string, Slice][] = m.commands.map((c) => [`${MANIFEST_NAMES[c.number]}:`, c.inside]);
  if (m.shared) sections.unshift(["before each section:", m.shared]);
  for (const [title, slice] of sections) {
    lines.push(title);
    for (const line of tell(steps(envelope.input, slice), "  ")) lines.push(line);
  }
  for (const { language, components, ...texts } of f.text) {
    lines.push(`text (${visible(language)}):`);
    for (const [name, t] of Object.entries(texts)) lines.push(`  ${name}: ${visible(String(t))}`);
    for (const { component, ...own } of components)
      for (const [name, t] of Object.entries(own)) lines.push(`  component ${component.join(" / ")}, ${name}: ${visible(String(t))}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Shows what an envelope says, signed or not, without believing it. */
export async function inspect(path: string, o: InspectOptions): Promise<void> {
  if (o.json && o.diag) throw usage("--json and --diag exclude each other", "give one of them");
  const input = readEnvelope(path);
  const outline = decodeEnvelope(input);
  const f = facts(outline, await signersOf(outline.signatures, []), input.length);
  for (const name of f.testKeys) warn(`signed with the published test key ${name}: anybody can sign with it`);
  if (o.json) json(f);
  else if (o.diag) {
    const { diagnostic } = await import("../../show/diag.js");
    data(`${diagnostic(input)}\n`);
  } else data(report(path, outline, f));
}
