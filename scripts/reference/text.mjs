/** Text in lines of at most 120 characters, all but the first with `indent` before them. */
export function wrapped(text, indent = "") {
  const lines = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    // a word that would make a line a heading, a list or a table is left where it is
    if (last !== undefined && (last.length + 1 + word.length <= 120 || /^(?:[-+#|]|\d+[.)])/.test(word)))
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(lines.length > 0 ? indent + word : word);
  }
  return lines.join("\n");
}
