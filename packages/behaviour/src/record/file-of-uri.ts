// The file that a URI means.

/** Names that Windows takes for a device, in any case and with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(?:\.|$)/i;

/**
 * Whether a name is that of one file in a folder, on each system: on Windows, "NUL.bin" is a device, and
 * "release.json." is another name of release.json.
 */
export const isFileName = (name: string): boolean =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  name !== "" && !/[/\\:\u0000-\u001f]|[. ]$/.test(name) && !DEVICE.test(name);

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
  return isFileName(name) ? name : undefined;
}
