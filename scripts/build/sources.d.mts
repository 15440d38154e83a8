export const SOURCES: { readonly [specifier: string]: string };
