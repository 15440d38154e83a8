// Converts the JSON descriptions of the retired SUIT reference tool, for people who migrate from it. Its quirks are
// handled only here.

import { DescriptionError } from "./conform.js";
import {
  type Command,
  type ComponentText,
  type ComponentValue,
  type Description,
  type DigestValue,
  type Parameters,
  SCHEMA,
  type TextValue,
} from "./manifest.js";

type SuitToolJson = { [key: string]: unknown };

/** Maximum number of components, alternatives included, because each one is compared with the others. */
const MAX_LISTED = 256;

/** A component in the format of that tool. Components with the same install-id are alternatives for different slots. */
interface Component extends SuitToolJson {
  "install-id": string[];
}

/** A description that was made from the input of suit-tool. */
export interface ImportedDescription {
  description: Description;
  /** One line for each thing that was left out. */
  warnings: string[];
}

const KNOWN = new Set([
  "install-id",
  "download-id",
  "load-id",
  "install-digest",
  "download-digest",
  "load-digest",
  "install-size",
  "load-size",
  "vendor-id",
  "class-id",
  "uri",
  "slot",
  "bootable",
  "loadable",
  "install-on-download",
  "description",
  "file",
]);
const KNOWN_TOP = new Set([
  "components",
  "manifest-version",
  "manifest-sequence-number",
  "reference-uri",
  "description",
  "severable",
  "include-json",
  "digest-algorithm",
]);

function object(value: unknown, path: string): SuitToolJson {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new DescriptionError(path, "a JSON object is needed");
  return value as SuitToolJson;
}

/** Converts a value to a string. `String()` would call toString() of an object from the file. */
function stringOf(value: unknown, path: string): string {
  if (typeof value !== "string") throw new DescriptionError(path, "a string is needed");
  return value;
}

function size(value: unknown, path: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw new DescriptionError(path, "a whole number is needed");
  return value;
}

/** Texts by language. Empty if the value is absent. */
function byLanguage(value: unknown, path: string): [string, SuitToolJson][] {
  return Object.entries(value === undefined ? {} : object(value, path)).map(([language, texts]) => [
    language,
    object(texts, `${path}/${language}`),
  ]);
}

function digestValue(value: unknown, path: string): DigestValue {
  const { "algorithm-id": alg, "digest-bytes": hex } = object(value, path);
  if (alg !== "sha256" && alg !== "sha384" && alg !== "sha512")
    throw new DescriptionError(path, `unknown digest algorithm ${JSON.stringify(alg)}`);
  return { algorithm: `sha-${alg.slice(3)}` as "sha-256", hex: stringOf(hex, `${path}/digest-bytes`) };
}

function componentId(value: unknown, path: string): ComponentValue {
  if (!Array.isArray(value) || !value.every((v) => typeof v === "string" && /^([0-9a-f]{2})*$/i.test(v)))
    throw new DescriptionError(path, "a component identifier is a list of hexadecimal strings");
  return value.map((hex: string) => ({ hex }));
}

/** Whether all alternatives have the same value. If so, it is set once, before the try-each over the slots. */
function agree(choices: readonly Component[], key: string): boolean {
  return choices.every((c) => JSON.stringify(c[key]) === JSON.stringify(choices[0]?.[key]));
}

class Import {
  readonly warnings: string[] = [];
  readonly ids: string[] = [];
  readonly groups: { index: number; choices: Component[] }[] = [];

  constructor(readonly source: SuitToolJson) {
    const components = source["components"];
    if (!Array.isArray(components) || components.length === 0) throw new DescriptionError("/components", "a list of components is needed");
    if (components.length > MAX_LISTED) throw new DescriptionError("/components", `more than ${MAX_LISTED} components are listed`);
    for (const [i, value] of components.entries()) {
      const at = `/components/${i}`;
      const c = object(value, at) as Component;
      for (const key of Object.keys(c)) if (!KNOWN.has(key)) throw new DescriptionError(`${at}/${key}`, "unknown member");
      for (const key of ["install-id", "download-id", "load-id"]) if (c[key] !== undefined) this.index(c[key], `${at}/${key}`);
      const index = this.index(c["install-id"], `${at}/install-id`);
      const group = this.groups.find((g) => g.index === index);
      if (group) group.choices.push(c);
      else this.groups.push({ index, choices: [c] });
    }
    for (const key of Object.keys(source)) if (!KNOWN_TOP.has(key)) throw new DescriptionError(`/${key}`, "unknown member");
    if (source["manifest-version"] !== 1) throw new DescriptionError("/manifest-version", "the version must be 1");
    if (source["digest-algorithm"] !== undefined) this.warnings.push("digest-algorithm is ignored; the manifest's digest is SHA-256");
    if (source["include-json"]) this.warnings.push("include-json is ignored");
  }

  /** The index of a component. Indexes are assigned in order of first use. */
  index(value: unknown, path: string): number {
    componentId(value, path);
    const written = JSON.stringify(value).toLowerCase();
    if (!this.ids.includes(written)) this.ids.push(written);
    return this.ids.indexOf(written);
  }

  /** With several components, every block of commands starts with set-component-index. With one, it is never set. */
  on(index: number, commands: readonly Command[]): Command[] {
    return this.ids.length > 1 && commands.length > 0 ? [{ "directive-set-component-index": index }, ...commands] : [...commands];
  }

  /**
   * Sets what all alternatives share, then adds a try-each on the slot for the differences, then `after`. `entries`
   * maps source keys to parameters.
   */
  choose(choices: readonly Component[], entries: { [key: string]: (c: Component) => Parameters }, after: readonly Command[]): Command[] {
    const given = Object.entries(entries).filter(([key]) => choices.some((c) => c[key] !== undefined));
    const collect = (c: Component, same: boolean) =>
      Object.assign({}, ...given.filter(([k]) => agree(choices, k) === same).map(([, f]) => f(c))) as Parameters;
    const first = choices[0] as Component;
    const shared = collect(first, true);
    const out: Command[] = Object.keys(shared).length > 0 ? [{ "directive-override-parameters": shared }] : [];
    if (choices.length > 1) {
      out.push({
        "directive-try-each": choices.map((c): Command[] => {
          if (typeof c["slot"] !== "number") throw new DescriptionError("/components", "alternatives of one install-id need a slot each");
          const own = collect(c, false);
          const slot: Command[] = [{ "directive-override-parameters": { "component-slot": c["slot"] } }, "condition-component-slot"];
          return Object.keys(own).length > 0 ? [...slot, { "directive-override-parameters": own }] : slot;
        }),
      });
    }
    return [...out, ...after];
  }

  shared(): Command[] {
    return this.groups.flatMap(({ index, choices }) => {
      const has = (key: string) => choices.some((c) => c[key] !== undefined);
      const after: Command[] = [];
      if (has("vendor-id")) after.push("condition-vendor-identifier");
      if (has("class-id")) after.push("condition-class-identifier");
      return this.on(
        index,
        this.choose(
          choices,
          {
            "vendor-id": (c) => ({ "vendor-identifier": stringOf(c["vendor-id"], "/components/vendor-id") }),
            "class-id": (c) => ({ "class-identifier": stringOf(c["class-id"], "/components/class-id") }),
            "install-digest": (c) => ({ "image-digest": digestValue(c["install-digest"], "/components") }),
            "install-size": (c) => ({ "image-size": size(c["install-size"], "/components/install-size") }),
            file: (c) => ({ image: { file: stringOf(c["file"], "/components/file") } }),
          },
          after,
        ),
      );
    });
  }

  fetched(choices: readonly Component[]): boolean {
    return choices.some((c) => c["uri"] !== undefined);
  }

  /** Whether the payload is fetched directly to its destination, without a separate download component. */
  direct(choices: readonly Component[]): boolean {
    return choices.some((c) => (c["install-on-download"] ?? true) !== false && c["uri"] !== undefined);
  }

  payloadFetch(): Command[] {
    return this.groups.flatMap(({ choices }) => {
      if (this.direct(choices) || !this.fetched(choices)) return [];
      const download = choices.find((c) => c["download-id"] !== undefined);
      if (!download) throw new DescriptionError("/components", "a component that is not installed on download needs a download-id");
      return this.on(
        this.index(download["download-id"], "/components"),
        this.choose(
          choices,
          {
            "download-digest": (c) => ({ "image-digest": digestValue(c["download-digest"] ?? c["install-digest"], "/components") }),
            uri: (c) => ({ uri: stringOf(c["uri"], "/components/uri") }),
          },
          ["directive-fetch", "condition-image-match"],
        ),
      );
    });
  }

  install(): Command[] {
    return this.groups.flatMap(({ index, choices }) => {
      if (!this.fetched(choices)) return [];
      if (this.direct(choices))
        return this.on(
          index,
          this.choose(choices, { uri: (c) => ({ uri: stringOf(c["uri"], "/components/uri") }) }, [
            "directive-fetch",
            "condition-image-match",
          ]),
        );
      return this.on(
        index,
        this.choose(choices, { "download-id": (c) => ({ "source-component": this.index(c["download-id"], "/components") }) }, [
          "directive-copy",
          "condition-image-match",
        ]),
      );
    });
  }

  validate(): Command[] {
    return this.groups.flatMap(({ index }) => this.on(index, ["condition-image-match"]));
  }

  load(): Command[] {
    return this.groups.flatMap(({ index, choices }) => {
      const c = choices.find((x) => x["loadable"] !== undefined);
      if (!c) return [];
      return this.on(this.index(c["load-id"], "/components"), [
        {
          "directive-override-parameters": {
            "image-digest": digestValue(c["load-digest"] ?? c["install-digest"], "/components"),
            "image-size": size(c["load-size"] ?? c["install-size"], "/components/load-size"),
            "source-component": index,
          },
        },
        "directive-copy",
        "condition-image-match",
      ]);
    });
  }

  invoke(): Command[] {
    const bootable = this.groups.flatMap(({ choices }) => choices.filter((c) => c["bootable"]));
    const [c] = bootable;
    // that tool emits no invoke if several images are bootable
    if (!c || bootable.length > 1) return [];
    return this.on(this.index(c["loadable"] ? c["load-id"] : c["install-id"], "/components"), ["directive-invoke"]);
  }

  text(): { [language: string]: TextValue } {
    const out = new Map<string, { -readonly [name in keyof TextValue]: TextValue[name] }>();
    const entry = (language: string) => {
      const e = out.get(language) ?? {};
      out.set(language, e);
      return e;
    };
    for (const [language, value] of byLanguage(this.source["description"], "/description")) {
      for (const [name, t] of Object.entries(value)) {
        if (name === "manifest-description" || name === "update-description")
          entry(language)[name] = stringOf(t, `/description/${language}/${name}`);
        else this.warnings.push(`description: ${name} is ignored`);
      }
    }
    for (const { index, choices } of this.groups) {
      for (const [language, value] of choices.flatMap((c) => byLanguage(c["description"], "/components/description"))) {
        const texts: ComponentText = { component: index };
        for (const [name, t] of Object.entries(value)) {
          // that tool writes only these two text fields of a component
          if (name === "vendor-domain" || name === "component-description")
            texts[name] = stringOf(t, `/components/description/${language}/${name}`);
          else this.warnings.push(`description of a component: ${name} is ignored`);
        }
        const e = entry(language);
        e.components = [...(e.components ?? []), texts];
      }
    }
    return Object.fromEntries(out);
  }
}

/**
 * Converts a description of the retired SUIT reference tool.
 *
 * @param source - The parsed JSON.
 * @returns The description, and a line for each thing that was left out.
 * @throws DescriptionError if something cannot be converted.
 */
export function importSuitTool(source: unknown): ImportedDescription {
  const from = new Import(object(source, ""));
  const description: Description = {
    $schema: SCHEMA,
    sequence: from.source["manifest-sequence-number"] as number,
    components: from.ids.map((written) => componentId(JSON.parse(written), "/components")),
  };
  const shared = from.shared();
  if (shared.length > 0) description["shared-sequence"] = shared;
  const reference = from.source["reference-uri"];
  if (reference !== undefined) description["reference-uri"] = stringOf(reference, "/reference-uri");
  for (const [name, commands] of [
    ["validate", from.validate()],
    ["load", from.load()],
    ["invoke", from.invoke()],
    ["payload-fetch", from.payloadFetch()],
    ["install", from.install()],
  ] as const)
    if (commands.length > 0) description[name] = commands;
  const texts = from.text();
  if (Object.keys(texts).length > 0) description.text = texts;
  // that tool always severs text; the other elements are severed on request
  const severed = (["payload-fetch", "install", "text"] as const).filter(
    (name) => description[name] && (name === "text" || from.source["severable"]),
  );
  if (severed.length > 0) description.sever = severed;
  return { description, warnings: from.warnings };
}
