// Images: the reader finds the format from content and name. The end of an input is the name.

import { DETECT_BYTES, detectFormat, ImageError, parseImage } from "../../packages/images/src/image-formats.js";
import { countingBytes } from "../../packages/test-support/src/bytes.js";
import { EOF, linearBase, record, SAMPLES, text } from "../../packages/test-support/src/image-writers.js";
import { Finding, type Target } from "../common/verdict.js";

const NAMES = ["app.bin", "app.hex", "app.uf2", "app.elf", "app", "app.ihx"];

const WITH_START = text(linearBase(0x800), record(0, 0, countingBytes(16)), record(5, 0, [8, 0, 0, 1]), EOF);

export const seeds = () => [...Object.values(SAMPLES), WITH_START].map((file, i) => Buffer.concat([file, Uint8Array.of(i + 1)]));

export const fuzz: Target = (input) => {
  const file = input.subarray(0, Math.max(0, input.length - 1));
  const name = NAMES[(input.at(-1) ?? 0) % NAMES.length] as string;
  try {
    const format = detectFormat(file.subarray(0, DETECT_BYTES), name);
    if (format === "raw") return;
    const image = parseImage(file, format);
    if (image.bytes.length > file.length + (1 << 20)) throw new Finding("more bytes than a file and its gaps can have");
  } catch (e) {
    if (!(e instanceof ImageError)) throw e;
    if (e.message.length + e.hint.length > 2000) throw new Finding(`an error of ${e.message.length} characters`);
  }
};
