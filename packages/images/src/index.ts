// Reads build outputs as the bytes that go to flash.

export { DETECT_BYTES, detectFormat, IMAGE_FORMATS, type Image, ImageError, type ImageFormat, parseImage } from "./image-formats.js";
export { IMAGE_LIMITS } from "./limits.js";
