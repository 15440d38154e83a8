// The script and the style of the page. In lib, the build replaces this module (scripts/build/in-signer.mjs).

export const PAGE_SCRIPT: string = "";
export const PAGE_STYLE: string = "";
