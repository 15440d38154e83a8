// The file that a URI means.

/**
 * Derives the name of the file that a URI means.
 *
 * @param uri - The URI.
 * @returns Its last part, without a query. undefined if that is not a plain file name, so that a URI never leads out of
 *   the folder.
 */
export function fileOfUri(uri: string): string | undefined {
  const last =
    uri
      .replace(/[?#].*$/s, "")
      .split("/")
      .at(-1) ?? "";
  let name: string;
  try {
    name = decodeURIComponent(last);
  } catch {
    return undefined;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  return name === "" || name === "." || name === ".." || /[/\\:\u0000-\u001f]/.test(name) ? undefined : name;
}
