// A rule for markdownlint: the first thing after the title of a page is prose, which says what the page is for.

export default {
  names: ["first-sentence"],
  description: "A page begins with a sentence that says what it is for",
  tags: ["headings"],
  parser: "micromark",
  function({ parsers }, onError) {
    const parts = parsers.micromark.tokens.filter(({ type }) => !/^lineEnding|^linePrefix$|^htmlFlow$/.test(type));
    const title = parts.findIndex(({ type }) => type === "atxHeading");
    const first = parts[title + 1];
    if (title >= 0 && first && first.type !== "content") onError({ lineNumber: first.startLine });
  },
};
