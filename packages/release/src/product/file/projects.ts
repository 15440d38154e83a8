// Projects of other build systems in a folder: which boards they build, and where their images are.

import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";

export interface FoundBoard {
  /** A name that a product file takes. */
  readonly name: string;
  /** The image, from the folder, or that of slot a and that of slot b. It may not be built yet. */
  readonly image: string | readonly [a: string, b: string];
  /** Bytes of the slots of an A/B layout. */
  readonly slots?: { readonly a: number; readonly b: number };
}

/** The project of a build system, as findProject() recognises it. */
export interface FoundProject {
  /** PlatformIO, Zephyr, ESP-IDF, Espruino or CMake. */
  readonly kind: string;
  /** A name for the product. */
  readonly name: string;
  readonly boards: readonly FoundBoard[];
}

/** Files of a project are small. A longer one is not read. */
const LONGEST = 1024 * 1024;

function textOf(folder: string, ...names: string[]): string | undefined {
  const path = join(folder, ...names);
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() && stat.size <= LONGEST ? readFileSync(path, "utf8") : undefined;
}

/** Returns the nearest name that a product file accepts. */
export function plainName(text: string): string {
  const letters = text.normalize("NFD").replace(/\p{M}/gu, "");
  const plain = letters.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "");
  const name = plain.slice(0, 64).replace(/[^A-Za-z0-9]+$/, "") || "product";
  // the reader of product files refuses this member
  return name === "constructor" ? "constructor-1" : name;
}

/** The first of these files that exists, or else the first. */
function firstOf(folder: string, names: readonly [string, ...string[]]): string {
  return names.find((name) => existsSync(join(folder, name))) ?? names[0];
}

/** What project() names in a CMakeLists.txt. */
const cmakeName = (text: string) => /^\s*project\s*\(\s*"?([A-Za-z0-9._-]+)/im.exec(text)?.[1];

function sizeIn(text: string | undefined): number | undefined {
  const [, digits, unit = ""] = /^(0x[0-9a-f]+|\d+)([KM]?)$/i.exec(text?.trim() ?? "") ?? [];
  return digits === undefined ? undefined : Number(digits) * ({ "": 1, K: 1024, M: 1024 * 1024 }[unit.toUpperCase()] as number);
}

/** The sizes of the two OTA partitions of an ESP-IDF partition table. */
function otaSlots(folder: string): Pick<FoundBoard, "slots"> {
  const rows = (textOf(folder, "partitions.csv") ?? "").split("\n").map((line) => line.split(",").map((cell) => cell.trim()));
  const [a, b] = ["ota_0", "ota_1"].map((type) => sizeIn(rows.find((row) => row[1] === "app" && row[2] === type)?.[4]));
  return a === undefined || b === undefined ? {} : { slots: { a, b } };
}

function platformio(folder: string): FoundProject | undefined {
  const text = textOf(folder, "platformio.ini");
  if (text === undefined) return undefined;
  const environments = [...text.matchAll(/^\[env:([^\]\s]+)\]/gm)].map(([, name]) => name as string);
  const imageOf = (name: string) =>
    firstOf(folder, [`.pio/build/${name}/firmware.bin`, `.pio/build/${name}/firmware.hex`, `.pio/build/${name}/firmware.uf2`]);
  const boards = environments.map((name) => ({ name: plainName(name), image: imageOf(name), ...otaSlots(folder) }));
  return { kind: "PlatformIO", name: basename(resolve(folder)), boards };
}

function zephyr(folder: string, cmake: string): FoundProject | undefined {
  if (!/find_package\s*\(\s*Zephyr/i.test(cmake)) return undefined;
  const name = cmakeName(cmake) ?? basename(resolve(folder));
  const cache = textOf(folder, "build", "CMakeCache.txt") ?? "";
  const board = /^(?:CACHED_)?BOARD:[A-Z]+=([^\s/@]+)/m.exec(cache)?.[1] ?? "board";
  const app = basename(resolve(folder));
  // with sysbuild, each image has a folder of its own
  const image = firstOf(folder, [
    "build/zephyr/zephyr.signed.bin",
    `build/${app}/zephyr/zephyr.signed.bin`,
    "build/zephyr/zephyr.bin",
    `build/${app}/zephyr/zephyr.bin`,
  ]);
  return { kind: "Zephyr", name, boards: [{ name: plainName(board), image }] };
}

function espIdf(folder: string, cmake: string): FoundProject | undefined {
  if (!/\/tools\/cmake\/project\.cmake/.test(cmake)) return undefined;
  const name = cmakeName(cmake) ?? basename(resolve(folder));
  const target = /^CONFIG_IDF_TARGET="([a-z0-9]+)"/m.exec(textOf(folder, "sdkconfig") ?? "")?.[1] ?? "esp32";
  return { kind: "ESP-IDF", name, boards: [{ name: target, image: `build/${name}.bin`, ...otaSlots(folder) }] };
}

function plainCmake(folder: string, cmake: string): FoundProject {
  const name = cmakeName(cmake) ?? basename(resolve(folder));
  const image = firstOf(folder, [`build/${name}.bin`, `build/${name}.hex`, `build/${name}.uf2`, `build/${name}.elf`]);
  return { kind: "CMake", name, boards: [{ name: plainName(name), image }] };
}

/** A JavaScript app: its package.json asks for Espruino's tools. */
function espruino(folder: string): FoundProject | undefined {
  const text = textOf(folder, "package.json");
  if (text === undefined) return undefined;
  let about: { name?: unknown; main?: unknown; dependencies?: object; devDependencies?: object; espruino?: { board?: unknown } };
  try {
    about = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof about !== "object" || about === null) return undefined;
  const isAsked = "espruino" in about || [about.dependencies, about.devDependencies].some((list) => list && "espruino" in list);
  if (!isAsked) return undefined;
  const name = typeof about.name === "string" ? about.name : basename(resolve(folder));
  const board = typeof about.espruino?.board === "string" ? about.espruino.board : "app";
  return { kind: "Espruino", name, boards: [{ name: plainName(board), image: typeof about.main === "string" ? about.main : "app.js" }] };
}

/** Returns the project in a folder. Returns undefined if there is none that this knows. */
export function findProject(folder: string): FoundProject | undefined {
  const cmake = textOf(folder, "CMakeLists.txt");
  const found =
    platformio(folder) ??
    (cmake === undefined ? undefined : (zephyr(folder, cmake) ?? espIdf(folder, cmake))) ??
    espruino(folder) ??
    (cmake === undefined ? undefined : plainCmake(folder, cmake));
  return found && { ...found, name: plainName(found.name) };
}
