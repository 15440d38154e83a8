// Rules about what a release contains.

import { type ImageVersion, imageVersion } from "@firmseal/formats";
import { visible } from "@firmseal/keys/internal";
import { LANGUAGE_TAG } from "@firmseal/signer";
import { COMPONENT_TEXT_NAMES, TEXT_NAMES, toHex } from "@firmseal/verifier/tools";
import { headerFaults } from "../headers.js";
import type { LintContext, LintPayload, Rule } from "../rule.js";

const FORMATS: { readonly [format in ImageVersion["format"]]: string } = {
  esp: "the app descriptor of ESP-IDF",
  mcuboot: "the header of MCUboot",
};

function versions({ release }: LintContext): { payload: LintPayload; found: ImageVersion }[] {
  return release.payloads.flatMap((payload) => {
    const found = imageVersion(payload.head);
    return found ? [{ payload, found }] : [];
  });
}

/** MAJOR.MINOR.PATCH at the beginning of a version; `v1.4.2-3-gabc` is that of git describe. */
const coreOf = (version: string) => /^v?(\d+\.\d+\.\d+)(?![.\d])/.exec(version)?.[1];

const decoder = new TextDecoder();
const textOf = (bytes: ArrayLike<number>) => decoder.decode(Uint8Array.from(bytes));
const tagOf = (language: ArrayLike<number>) => visible(textOf(language));

const unnamed = (texts: readonly { readonly key: number }[], names: { readonly [key: number]: string | undefined }): number[] =>
  texts.flatMap(({ key }) => (names[key] === undefined ? [key] : []));

export const contentRules: readonly Rule[] = [
  {
    id: "L40",
    name: "no-sbom",
    severity: "note",
    title: "The release has no bill of materials",
    why: "To find devices with a vulnerable library, people must know what each release contains. Some laws require it.",
    fix: "Put an SPDX or CycloneDX file beside the envelope (NAME.spdx.json or NAME.cdx.json), or name it: [policy] sbom = FILE.",
    check: ({ release }) => (release.hasBillOfMaterials ? [] : ["no suit-coswid element, and no SPDX or CycloneDX file is beside it"]),
  },
  {
    id: "L41",
    name: "image-without-version",
    severity: "warning",
    title: "An image has no version of its own",
    why: "The application and the boot loader report the version in the image: without it, nobody can tell what a device runs.",
    fix: "Set PROJECT_VER (ESP-IDF), the VERSION file (Zephyr), or imgtool sign --version.",
    check: (context) =>
      versions(context).flatMap(({ payload, found }) =>
        found.version === undefined ? [`${payload.uri}: ${FORMATS[found.format]} names no version`] : [],
      ),
  },
  {
    id: "L42",
    name: "image-version-differs",
    severity: "warning",
    title: "The version of an image differs from that of the release",
    why: "The build was not made for this release, or is an old one: devices report a version that was not released.",
    fix: "Build again with the version of the release.",
    check: (context) =>
      versions(context).flatMap(({ payload, found: { version, format } }) => {
        const [own, released] = [version && coreOf(version), context.release.version && coreOf(context.release.version)];
        if (!own || !released || own === released) return [];
        return [
          `${payload.uri}: ${FORMATS[format]} names version ${visible(version as string)}, and the release is ${context.release.version}`,
        ];
      }),
  },
  {
    id: "L44",
    name: "text-language",
    severity: "warning",
    title: "The language of a text has no valid tag",
    why: "A reader that looks for a language does not find the text, or refuses all texts of the release.",
    fix: "Write the tag with hyphens, as RFC 5646 does: en-US, not en_US.",
    check: ({ release: { outline } }) =>
      outline.text.flatMap(({ language }) => (LANGUAGE_TAG.test(textOf(language)) ? [] : [`"${tagOf(language)}" is not a language tag`])),
  },
  {
    id: "L45",
    name: "cose-headers",
    severity: "warning",
    title: "A header of a signature has a wrong type, or excludes another one",
    why: "RFC 9052 §3.1 gives these headers their types. Devices skip them, but other readers refuse the release.",
    fix: "Drop the header from the signature: no verifier of SUIT manifests needs it.",
    check: ({ release: { outline } }) => headerFaults(outline),
  },
  {
    id: "L46",
    name: "text-number",
    severity: "note",
    title: "A text has a number without a meaning",
    why: "Devices skip texts, and tools show this one by its number: no draft of SUIT says what it is. Negative numbers belong to applications.",
    fix: "Nothing, if your own tools read it. Otherwise use an element that the specification has.",
    check: ({ release: { outline } }) =>
      outline.text.flatMap(({ language, texts, components }) => [
        ...unnamed(texts, TEXT_NAMES).map((key) => `text ${key} (${tagOf(language)})`),
        ...components.flatMap((c) =>
          unnamed(c.texts, COMPONENT_TEXT_NAMES).map(
            (key) => `text ${key} of component ${c.id.map((part) => toHex(part)).join("/")} (${tagOf(language)})`,
          ),
        ),
      ]),
  },
];
