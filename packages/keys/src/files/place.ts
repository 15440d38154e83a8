// Where an output goes. A stranger's repository can have a symbolic link under any name: an output that followed it
// would replace a file elsewhere, such as ~/.ssh/authorized_keys, with content that the stranger chose.

import { type BigIntStats, lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { unlessThrown } from "@firmseal/signer";
import { type Failure, usage } from "../errors/failure.js";

/** The folders around `path`, from the root, and itself. */
function partsOf(path: string): string[] {
  const around = dirname(path);
  return around === path ? [path] : [...partsOf(around), path];
}

/** The name as a shell would type it with the shift key stuck. The same file answers to it where case is ignored. */
const otherCase = (name: string) => {
  const lower = name.toLowerCase();
  return lower === name ? name.toUpperCase() : lower;
};

/**
 * Returns the real name of an entry that the file system found under a name that differs in case, or undefined.
 * `names`: those in the folder.
 */
export function otherName(name: string, names: readonly string[]): string | undefined {
  const same = (one: string) => one.normalize("NFC");
  if (names.some((one) => same(one) === same(name))) return undefined;
  return names.find((one) => same(one).toLowerCase() === same(name).toLowerCase());
}

/** What a file system knows about names. It follows no link. */
export interface FileNames {
  /** Returns undefined if nothing is there. */
  lstat(path: string): BigIntStats | undefined;
  list(folder: string): string[];
}

const NAMES_HERE: FileNames = {
  lstat: (path) => lstatSync(path, { throwIfNoEntry: false, bigint: true }),
  list: (folder) => readdirSync(folder),
};

function nameThere(path: string, stat: BigIntStats, names: FileNames): string | undefined {
  const folder = dirname(path);
  const name = basename(path);
  const other = names.lstat(join(folder, otherCase(name)));
  // most file systems know no other name for it: then the folder, which can be large, need not be listed
  return other?.ino === stat.ino && other.dev === stat.dev ? otherName(name, names.list(folder)) : undefined;
}

function elsewhere(path: string, at: string, to: string): Failure {
  const link = resolve(path) === at ? path : `${path}: ${at}`;
  return usage(`${link} is a symbolic link to ${to}; an output follows no link`, "name the place itself, or remove the link");
}

/** The way to the current folder, which a person has gone: as it is, and as $PWD names it through links. */
function wayHere(): Set<string> {
  const here = process.cwd();
  const { PWD: named = here } = process.env;
  const isHere = isAbsolute(named) && unlessThrown(() => realpathSync(named)) === here;
  return new Set([...partsOf(here), ...(isHere ? partsOf(resolve(named)) : [])]);
}

/**
 * Returns the absolute path of an output, whether it exists or not. Throws a usage Failure if a link is on the way to
 * it, or is there: a symbolic link, a junction, or a name that differs in case. Links on the way to the current folder,
 * and folders of the root folder that are links, such as /tmp of macOS, are not those of a stranger. `names`: for a
 * different file system.
 */
export function outputPlace(path: string, names: FileNames = NAMES_HERE): string {
  const place = resolve(path);
  const way = wayHere();
  for (const at of partsOf(place)) {
    if (way.has(at)) continue;
    const stat = names.lstat(at);
    if (!stat) return place;
    const isOfMachine = at !== place && dirname(dirname(at)) === dirname(at);
    if (stat.isSymbolicLink() && !isOfMachine) throw elsewhere(path, at, readlinkSync(at));
    const name = nameThere(at, stat, names);
    if (name !== undefined)
      throw usage(`${path}: the name there is ${name}, which differs in case`, `name ${join(dirname(at), name)}, or move it away`);
  }
  return place;
}

/**
 * The name of a file that does not exist, with which it can be compared: in its real folder, and without the case of
 * its letters, which not every file system distinguishes.
 */
export function comparableName(path: string): string {
  const place = resolve(path);
  const folder = partsOf(dirname(place))
    .reverse()
    .find((one) => unlessThrown(() => statSync(one))) as string;
  return join(realpathSync(folder), place.slice(folder.length)).normalize("NFC").toLowerCase();
}
