// What init asks for: each answer may be an option instead.

import { existsSync } from "node:fs";
import { type PassphraseOptions, shellWord, usage } from "@firmseal/keys/internal";
import { type ConsumerName, checkVendor, consumerNames, type FoundProject, plainName } from "@firmseal/release/internal";
import { isOnTerminal, questionOnTerminal } from "../../show/ui.js";
import { askFor } from "../ask.js";

export interface InitOptions extends PassphraseOptions {
  name?: string;
  vendor?: string;
  board?: string[];
  key?: string[];
  root?: string[];
  trust?: string;
  threshold?: number;
  loneKey?: boolean;
  for?: ConsumerName;
  coseAlg?: string[];
  allowTestKey?: string[];
  out?: string;
  json?: boolean;
}

type Boards = FoundProject["boards"];

export const DEFAULT_KEY = "release.pem";

/** Refuses a name that the product file would not take. */
export function refuseName(option: "--name" | "--board", name: string, value = name): void {
  if (plainName(name) === name) return;
  throw usage(
    `${option} ${JSON.stringify(value)}: a name has letters, digits, and . _ - between them`,
    `for example: ${option} ${shellWord(plainName(name) + value.slice(name.length))}`,
  );
}

function givenBoards(values: readonly string[]): Boards {
  return values.map((value) => {
    const at = value.indexOf("=");
    if (at < 1 || at === value.length - 1) throw usage(`--board ${value} is not NAME=IMAGE`, "for example: --board esp32=build/app.bin");
    refuseName("--board", value.slice(0, at), value);
    const image = value.slice(at + 1);
    const [a, b, ...more] = image.split(",");
    if (a === undefined || b === undefined || existsSync(image)) return { name: value.slice(0, at), image };
    if (a === "" || b === "" || more.length > 0)
      throw usage(`--board ${value}: a board has an image, or two: A,B`, "for example: --board esp32=build/a.bin,build/b.bin");
    return { name: value.slice(0, at), image: [a, b] as const };
  });
}

export async function vendorFor({ vendor }: InitOptions): Promise<string> {
  const question = "What is the domain of the vendor, for example example.com?";
  const answer = vendor ?? (await askFor("--vendor", question, { give: "its domain: --vendor example.com" }));
  checkVendor(answer);
  return answer;
}

export async function boardsAsked(o: InitOptions, project: FoundProject | undefined): Promise<Boards> {
  if (o.board) return givenBoards(o.board);
  if (project && project.boards.length > 0) return project.boards;
  const question = "Which board is it, and which image does its build write? NAME=IMAGE:";
  return givenBoards([await askFor("--board", question, { give: "--board NAME=IMAGE" })]);
}

export async function keysFor(o: InitOptions): Promise<string[]> {
  if (o.key !== undefined || existsSync(DEFAULT_KEY) || !isOnTerminal()) return o.key ?? [DEFAULT_KEY];
  const question = `Which key signs releases? Enter for ${DEFAULT_KEY}, or another file, or a reference such as pkcs11:…:`;
  return [(await questionOnTerminal(question)) || DEFAULT_KEY];
}

function refuseOneRoot(roots: readonly string[] | undefined): void {
  if (roots?.length === 1)
    throw usage("--root is given once: if this root is lost, nobody can change the list of keys", "give a second --root FILE");
}

/** The first given option that only a list of keys takes. */
const ofList = ({ key = [], root, threshold }: InitOptions): string | undefined =>
  root ? "--root" : threshold !== undefined ? "--threshold" : key.length > 1 ? "a second --key" : undefined;

/** Refuses options that are wrong by themselves: nobody answers a question in vain. */
export function refuseOptions(o: InitOptions): void {
  const { vendor, board, key, root, trust, threshold = 1, loneKey } = o;
  if (vendor !== undefined) checkVendor(vendor);
  if (board) givenBoards(board);
  // --trust has rules of its own
  if (trust !== undefined) return;
  const other = ofList(o);
  if (loneKey && other !== undefined) throw usage(`--lone-key and ${other} exclude each other`, "drop one of them");
  refuseOneRoot(root);
  // without --key, there is one: by default, or by an answer
  const keys = key?.length ?? 1;
  if (threshold < 1 || threshold > keys)
    throw usage(`--threshold ${threshold}: ${keys} release ${keys === 1 ? "key is" : "keys are"} given`, "give --key for each");
}

/** The roots of the list of keys; undefined for one key without a list, which a person must say. */
export async function rootsFor(o: InitOptions): Promise<string[] | undefined> {
  if (o.loneKey) return undefined;
  const roots = o.root ?? (await askForRoots());
  refuseOneRoot(roots);
  const other = ofList(o);
  // it would be lost in silence
  if (!roots && other !== undefined)
    throw usage(`${other} needs a list of keys, and only roots sign one`, `name two roots, or drop ${other}`);
  return roots;
}

/** Undefined: a person wants no list. */
async function askForRoots(): Promise<string[] | undefined> {
  const missing = {
    what: "--root is missing: two roots sign the list of the keys that devices trust",
    give: "--root FILE twice, or --lone-key: a key that is lost or stolen then means a recall",
  };
  const answer = await askFor(
    "--root",
    "Which roots sign the list of keys? Two files or more, such as root-1.pem root-2.pem; or none: a lost key then means a recall:",
    missing,
  );
  return answer === "none" ? undefined : answer.split(/[\s,]+/);
}

/** What verifies on the devices; undefined for the bundles of firmseal. */
export async function consumerFor(o: InitOptions): Promise<ConsumerName | undefined> {
  if (o.for !== undefined) return o.for;
  const answer = await questionOnTerminal(
    `What verifies on the devices? Enter for a bundle of firmseal, or ${consumerNames.join(", ")} (generic: your own C code):`,
  );
  if (answer === undefined || answer === "") return undefined;
  const known = consumerNames.find((name) => name === answer);
  if (known) return known;
  throw usage(
    `--for ${answer} is not known`,
    /mcuboot/i.test(answer)
      ? "MCUboot starts images and reads no manifest: name what verifies the manifest before it, for example --for generic"
      : `give ${consumerNames.join(", ")}, or nothing`,
  );
}
