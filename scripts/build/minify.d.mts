import type { Minify } from "../../packages/bundler/src/bundle.js";

export const minify: Minify;
