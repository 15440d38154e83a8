/** Text in lines of at most 120 characters, all but the first with `indent` before them. */
export function wrapped(text, indent = "") {
  const lines = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last === undefined) lines.push(word);
    else if (last.length + 1 + word.length <= 120) lines[lines.length - 1] = `${last} ${word}`;
    // a word that would make a line a heading, a list or a table takes the word before it along
    else if (/^(?:[-+#|]|\d+[.)])/.test(word)) {
      const at = last.lastIndexOf(" ");
      lines.splice(-1, 1, last.slice(0, at), `${indent}${last.slice(at + 1)} ${word}`);
    } else lines.push(indent + word);
  }
  return lines.join("\n");
}
