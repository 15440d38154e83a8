// The text of a new product file. People go on writing it, so it says what can be added.

import type { ConsumerName } from "../../consumer/consumers.js";
import type { Product } from "./product.js";
import type { FoundBoard } from "./projects.js";
import { productIn } from "./read.js";

/** What newProduct() writes into a product file. */
export interface NewProduct {
  readonly name: string;
  readonly vendor: string;
  readonly boards: readonly FoundBoard[];
  /** References of the release keys that sign here; empty if each person signs elsewhere. */
  readonly keys: readonly string[];
  /** The keys that devices trust: the trust file and root keys that must have signed it, or public keys. */
  readonly trust:
    | { readonly file: string; readonly root: readonly string[]; readonly name: string | undefined }
    | { readonly keys: readonly string[] };
  /** The verifier of the devices, if it is not that of this project. */
  readonly for?: ConsumerName | undefined;
  /** Names of COSE algorithms. */
  readonly coseAlg?: readonly string[] | undefined;
}

/** A string of TOML: JSON has the same escapes, but for DEL. */
const quoted = (text: string) => JSON.stringify(text).replaceAll("\u007f", "\\u007f");

/** A bare key, or a quoted one: a dot would make two keys of a name. */
const keyOf = (name: string) => (/^[A-Za-z0-9_-]+$/.test(name) ? name : quoted(name));

const sizeText = (n: number) => (n % 1024 === 0 ? quoted(`${n / 1024}K`) : String(n));

function boardText({ name, image, slots }: FoundBoard): string {
  const sizes = slots ? `slots = { a = ${sizeText(slots.a)}, b = ${sizeText(slots.b)} }\n` : "";
  const value = typeof image === "string" ? quoted(image) : `{ a = ${quoted(image[0])}, b = ${quoted(image[1])} }`;
  return `\n[boards.${keyOf(name)}]\nimage = ${value}\n${sizes}`;
}

/** One string, or a list. */
const listed = (values: readonly string[]) => (values.length > 1 ? `[${values.map(quoted).join(", ")}]` : quoted(values.join()));

/** The name of the list: with the same roots, that of another product line is refused. */
function trustText(trust: NewProduct["trust"]): string {
  if ("keys" in trust) return trust.keys.length === 0 ? "" : `\n[trust]\nkeys = ${listed(trust.keys)}\n`;
  return `\n[trust]\nfile = ${quoted(trust.file)}   # the keys that devices trust; its roots sign the next one\nroot = ${listed(trust.root)}\n${trust.name === undefined ? "" : `name = ${quoted(trust.name)}\n`}`;
}

/** Returns the text of a product file at `path`, and the product in it. Throws a Failure: PRODUCT for a wrong name. */
export function newProduct(
  path: string,
  { name, vendor, boards, keys, trust, for: consumer, coseAlg = [] }: NewProduct,
): { text: string; product: Product } {
  const verifier = `${consumer === undefined ? "" : `for = ${quoted(consumer)}   # what the devices verify with\n`}${coseAlg.length === 0 ? "" : `cose-alg = ${listed(coseAlg)}\n`}`;
  const text = `# The product: docs/reference/product.md of firmseal has all members.
"$schema" = "urn:firmseal:product:1"
name = ${quoted(name)}
vendor = ${quoted(vendor)}
# uri = "https://fw.example.com/{product}/{version}/{board}.bin"   # devices fetch images; left out, they are in the envelope
${verifier}${keys.length === 0 ? "" : `\n[keys]\nrelease = ${listed(keys)}\n`}${trustText(trust)}
[sequence]
source = "version"   # the same version has the same number on every machine
${boards.map(boardText).join("")}`;
  return { text, product: productIn(path, text) };
}
