import { byteWords, isFolder, STDIO, usage } from "@firmseal/keys/internal";
import { isRefusal } from "@firmseal/release";
import {
  formatDigest,
  furtherElements,
  type IdentifiedSignature,
  LIMITS,
  type ParameterValue,
  type ReleaseFolder,
  readAnyEnvelope,
  type SequenceCommand,
  sequenceCommands,
  signersOf,
  testKeysAmong,
} from "@firmseal/release/internal";
import {
  COMMAND_NAMES,
  COMMAND_ROWS,
  COMPONENT_TEXT_NAMES,
  decodeEnvelope,
  formatSequence,
  MANIFEST_NAMES,
  TEXT_NAMES,
  toHex,
  type UnverifiedEnvelope,
} from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import { FOREIGN_FILE, foreignFile, foreignLines, foreignRead } from "../../common/foreign/foreign.js";
import type { InspectedForeign } from "../../common/foreign/read.js";
import { productFile } from "../../common/options.js";
import { BOARDS, boardLines, missingLines } from "../../common/release/folder-words.js";
import { namedLines, namesOfProduct, type ProductNames, productHere } from "../../common/release/product-names.js";
import {
  type RefusedFacts,
  refusedFacts,
  refusedFailure,
  refusedLines,
  signatureFacts,
  signatureWords,
  warnOfTestSigners,
} from "../../common/release/refused-envelope.js";
import { DIGEST_SHAPE, membersOf, NAMES_SHAPE, NUMBER, optional, TEST_KEYS } from "../../common/shapes.js";
import { versionFacts } from "../../common/words.js";
import { RefusedWithFacts } from "../../show/render.js";

interface InspectOptions {
  json?: boolean;
  diag?: boolean;
  product?: string;
  board?: string;
}

const textDecoder = new TextDecoder();
const toUint8Array = (bytes: ArrayLike<number>) => Uint8Array.from(bytes);
const decodeText = (bytes: ArrayLike<number>) => textDecoder.decode(toUint8Array(bytes));

/** What commands make a device do, by their names. */
const COMMAND_WORDS = new Map(Object.entries(COMMAND_NAMES).map(([code, name]) => [name, COMMAND_ROWS[Number(code)]?.words]));

/** A command, as it appears in the JSON output. */
interface CommandFacts {
  command: string;
  policy?: number;
  index?: true | number[];
  parameters?: { [name: string]: ParameterValue };
  sequences?: (CommandFacts[] | null)[];
}

function commandFacts(list: readonly SequenceCommand[]): CommandFacts[] {
  return list.map((s) => ({
    command: s.name,
    ...(s.policy === undefined ? {} : { policy: s.policy }),
    ...(s.index === undefined ? {} : { index: s.index }),
    ...(s.parameters ? { parameters: Object.fromEntries(s.parameters.map((p) => [p.name, p.value])) } : {}),
    ...(s.sequences ? { sequences: s.sequences.map((x) => (x ? commandFacts(x) : null)) } : {}),
  }));
}

function valueText(value: ParameterValue): string {
  if (typeof value !== "object") return String(value);
  if ("algorithm" in value) return `${value.algorithm} ${value.hex}`;
  return "hex" in value
    ? value.hex.length > 64
      ? `${value.hex.slice(0, 64)}… (${byteWords(value.hex.length / 2)})`
      : value.hex
    : `cbor ${value.cbor}`;
}

function commandLines(list: readonly CommandFacts[], indent: string): string[] {
  return list.flatMap((step): string[] => {
    if (step.index !== undefined)
      return [`${indent}for ${step.index === true ? "every component" : `component ${step.index.join(", ")}`}:`];
    if (step.parameters)
      return Object.entries(step.parameters).map(
        ([name, value]) =>
          `${indent}set ${name} = ${name === "image-size" && typeof value === "number" ? byteWords(value) : valueText(value)}`,
      );
    if (step.sequences && step.command === "directive-try-each")
      return [
        `${indent}the first of these that fits:`,
        ...step.sequences.flatMap((s, i) =>
          s ? [`${indent}  ${i + 1}.`, ...commandLines(s, `${indent}     `)] : [`${indent}  ${i + 1}. or none`],
        ),
      ];
    const words = COMMAND_WORDS.get(step.command);
    if (step.sequences)
      return [`${indent}${words ?? step.command}:`, ...step.sequences.flatMap((s) => (s ? commandLines(s, `${indent}  `) : []))];
    return [`${indent}${words ? `${words} (${step.command})` : step.command}`];
  });
}

/** Everything that an envelope says. Only its structure and its digests are verified. */
function envelopeFacts(input: Uint8Array, outline: UnverifiedEnvelope, signatures: readonly IdentifiedSignature[]) {
  const { manifest: m, envelope } = outline;
  return {
    bytes: input.length,
    verified: false,
    ...(outline.digest && { digest: formatDigest(outline.digest) }),
    signatures: signatures.map(signatureFacts),
    ...versionFacts(outline),
    sequence: formatSequence(m.sequence),
    components: m.components.map((id) => id.map(toHex)),
    referenceUri: m.referenceUri,
    ...furtherElements(input, outline),
    shared: m.shared ? commandFacts(sequenceCommands(envelope.input, m.shared)) : [],
    sections: Object.fromEntries(
      m.commands.map((c): [string, CommandFacts[]] => [
        MANIFEST_NAMES[c.number] as string,
        commandFacts(sequenceCommands(envelope.input, c.inside)),
      ]),
    ),
    severed: m.digests.map((d) => ({
      element: MANIFEST_NAMES[d.number],
      present: !outline.absent.includes(d.number),
      digest: formatDigest(d.sum),
    })),
    text: outline.text.map((t) => ({
      language: decodeText(t.language),
      ...Object.fromEntries(t.texts.map((x) => [TEXT_NAMES[x.key] ?? x.key, decodeText(x.text)])),
      components: t.components.map((c) => ({
        component: c.id.map(toHex),
        ...Object.fromEntries(c.texts.map((x) => [COMPONENT_TEXT_NAMES[x.key] ?? x.key, decodeText(x.text)])),
      })),
    })),
    payloads: envelope.payloads.map((p) => ({ uri: p.uri, bytes: p.content.n })),
    testKeys: testKeysAmong(signatures),
  };
}

type EnvelopeFacts = ReturnType<typeof envelopeFacts>;

function envelopeLines(path: string, f: EnvelopeFacts): string[] {
  const out = [`${path}: SUIT envelope, ${byteWords(f.bytes)} (signatures not verified)`];
  if (f.version !== undefined) out.push(`version          ${f.version}`);
  out.push(`sequence number  ${f.sequence}`, `manifest digest  ${f.digest ? `${f.digest.algorithm} ${f.digest.hex}` : "none"}`);
  out.push(`signatures       ${signatureWords(f.signatures)}`);
  for (const [i, id] of f.components.entries()) out.push(`component ${i}      ${id.join(" / ") || "(empty)"}`);
  for (const { index, prefix } of f.dependencies)
    out.push(`dependency ${index.padEnd(5)} ${prefix ? `stored as ${prefix.join(" / ") || "(empty)"}` : "is that component"}`);
  if (f.manifestComponent) out.push(`manifest itself  component ${f.manifestComponent.join(" / ") || "(empty)"}`);
  if (f.setVersion !== null) out.push(`set version      ${f.setVersion}`);
  for (const p of f.payloads) out.push(`payload          ${p.uri}, ${byteWords(p.bytes)}, in the envelope`);
  if (f.referenceUri) out.push(`reference URI    ${f.referenceUri}`);
  for (const s of f.severed)
    out.push(
      `severed          ${s.element}: ${s.present ? "in the envelope" : "not in the envelope"}, ${s.digest.algorithm} ${s.digest.hex}`,
    );
  // no spread: a manifest may have more lines than a call has arguments
  const sections: [string, CommandFacts[]][] = Object.entries(f.sections).map(([name, list]) => [`${name}:`, list]);
  if (f.shared.length > 0) sections.unshift(["before each section:", f.shared]);
  for (const [title, list] of sections) {
    out.push(title);
    for (const line of commandLines(list, "  ")) out.push(line);
  }
  for (const { language, components, ...texts } of f.text) {
    out.push(`text (${language}):`);
    for (const [name, t] of Object.entries(texts)) out.push(`  ${name}: ${t}`);
    for (const { component, ...own } of components)
      for (const [name, t] of Object.entries(own)) out.push(`  component ${component.join(" / ")}, ${name}: ${t}`);
  }
  return out;
}

/** Decodes an envelope. Shows a refused one too, with the refusal, if it is well-formed CBOR. */
async function decoded(input: Uint8Array, o: InspectOptions): Promise<UnverifiedEnvelope> {
  try {
    return decodeEnvelope(input);
  } catch (e) {
    if (!isRefusal(e)) throw e;
    const facts = await refusedFacts(input, e);
    if (!facts) throw e;
    const { looseDiagnostic } = await import("@firmseal/behaviour");
    throw new RefusedWithFacts(refusedFailure(e, input), {
      ...facts,
      ...(o.diag && { diagnostic: looseDiagnostic(input, LIMITS.shownBytes) }),
    });
  }
}

/** The facts of an envelope, or its notation. */
async function inspected(input: Uint8Array, o: InspectOptions) {
  const outline = await decoded(input, o);
  const f = envelopeFacts(input, outline, await signersOf(outline.signatures, []));
  if (!o.diag) return f;
  const { diagnostic } = await import("@firmseal/behaviour");
  return { ...f, diagnostic: diagnostic(input, LIMITS.shownBytes) };
}

/** What an envelope says, signed or not, or each envelope of a release. Nothing is trusted. */
async function inspect(path: string, o: InspectOptions) {
  if (o.json && o.diag) throw usage("--json and --diag exclude each other", "give one of them");
  if (path !== STDIO && isFolder(path)) return inspectFolder(path, o);
  const foreign = await foreignFile(path);
  if (foreign) {
    const { inspectForeign } = await foreignRead();
    return inspectForeign(path, foreign, o);
  }
  if (o.board !== undefined) (await folders()).refuseBoardOf(path, o.board);
  const input = readAnyEnvelope(path);
  const f = await inspected(input, o);
  const names = await namesOfProduct(await productHere(o.product, o.json === true));
  warnOfTestSigners(f.testKeys);
  return { ...f, ...names };
}

/** Loads what only the folder of a release needs. */
const folders = () => import("../../common/release/folder-boards.js");

async function inspectFolder(path: string, o: InspectOptions) {
  const { eachBoard, shownFolder, missingBoards, productFor } = await folders();
  const folder = (await shownFolder(path, o.board)) as ReleaseFolder;
  const names = await namesOfProduct(await productFor(folder, o));
  const boards = await eachBoard(folder, ({ envelope }) => inspected(envelope, o));
  const testKeys = [...new Set(boards.flatMap((one) => one.testKeys))];
  warnOfTestSigners(testKeys);
  const { version, sequence } = folder.record;
  return { verified: false, version, sequence, boards, missing: missingBoards(folder), testKeys, ...names };
}

type OneFacts = EnvelopeFacts & { diagnostic?: string; names?: ProductNames };

/** `f`: also the facts of an envelope that was refused. */
function shownLines(path: string, f: OneFacts | RefusedFacts | Awaited<ReturnType<typeof inspectFolder>> | InspectedForeign): string[] {
  if ("file" in f) return foreignLines(path, f.file);
  if ("elements" in f) return refusedLines(path, byteWords(f.bytes), f);
  if ("boards" in f) return namedLines([...missingLines(f.missing), ...boardLines(f.boards, (one) => shownLines(one.path, one))], f.names);
  return f.diagnostic === undefined ? namedLines(envelopeLines(path, f), f.names) : f.diagnostic.split("\n");
}

export default define({
  name: "inspect",
  summary: "show the contents and commands of an envelope, without verifying signatures",
  arguments: [commandArgument("<envelope>", "envelope, - for stdin, or the folder of a release; or an MCUboot image")],
  options: () => [
    option("--diag", "show CBOR diagnostic notation"),
    productFile(),
    option("--board <name>", "for a folder: only this board of the release"),
  ],
  examples: [
    ["firmseal inspect fw.suit", "in words"],
    ["firmseal inspect fw.suit --diag", "as CBOR diagnostic notation, with the names of the numbers"],
  ],
  json: {
    verified: ["boolean", "false: signatures are not verified"],
    ...optional({
      bytes: ["number", "length of the envelope"],
      "digest?": ["object", "digest of the manifest; missing if the envelope is not signed"],
      ...membersOf("digest?", DIGEST_SHAPE),
      signatures: ["object[]", "every signature"],
      ...membersOf("signatures[]", {
        alg: ["string", "algorithm"],
        kid: ["string|null", "key identifier that it names, hex"],
        "testKey?": ["string", "published test key that made it"],
      }),
      ...NUMBER,
      components: ["object[]", "component identifiers: hex of each part"],
      referenceUri: ["string|null", "where the whole manifest is"],
      dependencies: ["object[]", "dependencies of the manifest"],
      ...membersOf("dependencies[]", {
        index: ["string", "index of the dependency"],
        prefix: ["string[]|null", "identifier that it is stored under, hex of each part; null: it is the component of this index"],
      }),
      manifestComponent: ["string[]|null", "component of the manifest itself, hex of each part"],
      setVersion: ["string|null", "version that the manifest sets"],
      shared: ["object[]", "commands before each section: command, policy, index, parameters, sequences"],
      sections: ["object", "commands of each section, by its name"],
      severed: ["object[]", "severed elements"],
      ...membersOf("severed[]", {
        element: ["string", "name of the element"],
        present: ["boolean", "whether it is in the envelope"],
        digest: ["object", "its digest"],
        ...membersOf("digest", DIGEST_SHAPE),
      }),
      text: ["object[]", "texts for people: language, texts by name, texts of components"],
      payloads: ["object[]", "payloads in the envelope"],
      ...membersOf("payloads[]", { uri: ["string", "its name"], bytes: ["number", "its length"] }),
    }),
    "draft?": ["string", "if devices refuse it: old draft of SUIT whose numbers it has"],
    "covered?": ["boolean", "if devices refuse it: whether the signatures cover the digest of the manifest"],
    "elements?": [
      "object[]",
      "if devices refuse it: every element, by name, with what is wrong: name, at, bytes, value, meaning, elements, wrong",
    ],
    ...FOREIGN_FILE,
    ...BOARDS,
    ...TEST_KEYS,
    ...NAMES_SHAPE,
  },
  run: inspect,
  words: (f, path) => [{ lines: shownLines(path, f) }],
});
