// Writes the entry of an app loader for Espruino (apps.json, apps/ID/metadata.json), which puts verifier, boot file and
// update script into a board's Storage over Web Bluetooth:
//
//     node app-loader.mjs FOLDER firmseal=firmseal.js .boot0=boot0.js update=update.js
//
// FOLDER is that of a loader, such as a fork of https://github.com/espruino/EspruinoApps: apps.json is written again if
// it is there. The loader only sets a board up, before it is given away: it checks no signature. Releases come through
// bluetooth/.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const ID = "firmseal";
const [folder, ...files] = process.argv.slice(2);
const storage = files.map((argument) => {
  const at = argument.indexOf("=");
  const [name, file] = [argument.slice(0, at), argument.slice(at + 1)];
  if (at < 1 || name.length > 28 || !file) throw new Error(`${argument}: NAME=FILE, with at most 28 characters in NAME`);
  return { name, file, url: basename(file) };
});
if (!folder || storage.length === 0) throw new Error("usage: node app-loader.mjs FOLDER NAME=FILE ...");
const metadata = {
  id: ID,
  name: "Signed updates",
  shortName: "firmseal",
  version: "1.00",
  description: "Installs only apps that your key has signed, and goes back if one fails",
  icon: "app.png",
  tags: "tool,system",
  supports: ["PUCKJS", "PIXLJS", "MDBT42Q", "ESPRUINOBOARD"],
  // in this order: what is never replaced comes first
  storage: storage.map(({ name, url }) => ({ name, url })),
  // what the device writes, for when the entry is removed
  data: [{ wildcard: "firmseal.??" }],
};

const names = [...storage.map(({ url }) => url), "metadata.json", metadata.icon].map((name) => name.toLowerCase());
if (new Set(names).size < names.length) throw new Error("two files have the same name: metadata.json and app.png are written here");

const place = join(folder, "apps", ID);
mkdirSync(place, { recursive: true });
for (const { file, url } of storage) copyFileSync(file, join(place, url));
// one grey pixel: a loader shows a picture for each entry
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";
writeFileSync(join(place, metadata.icon), Buffer.from(PIXEL, "base64"));
writeFileSync(join(place, "metadata.json"), `${JSON.stringify(metadata, undefined, 2)}\n`);

const list = join(folder, "apps.json");
const others = existsSync(list) ? JSON.parse(readFileSync(list, "utf8")).filter(({ id }) => id !== ID) : [];
writeFileSync(list, `${JSON.stringify([...others, metadata], undefined, 2)}\n`);
