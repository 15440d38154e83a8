// Translated phrases that the style of CONTRIBUTING.md replaces. A reader finds more, cspell the words.

/** A pattern for small and capital letters, and what to write. scripts/test/gates.test.mjs has an example of each. */
export const PHRASES = [
  [/(?<!\bthere )\b(?:is|are|was|were) no (?!longer\b|more\b|other\b|one\b|such\b|lower\b|higher\b|better\b)[a-z]+/, '"is not a"'],
  [/(?<!\bthere )\b(?:is|are|was|were) none\b/, '"is not a ...", or "is invalid"'],
  [/\b(?:stands?|stood) (?:in(?! for\b)|at|on|above|below|behind|before|beside|there|here)\b/, "who acts: records, follows"],
  [/\b(?:lies?|lay) (?:in|on|at|above|below|behind|before|beside|under|here|there|where)\b/, '"is in", or "follows"'],
  [/\b(?:another [a-z]+|other [a-z]+s|else) than\b/, '"a different X from", or "other than"'],
  [/\bwhom?ever\b/, "the actor: the caller, the device, an attacker"],
  [/, also (?:if|when|where|after)\b/, '"even if", "even after"'],
  [/\balready(?=[.,;:)"'`]| \*\/)/, '"already" before the verb'],
  [/\bbesides(?=[.;:)]| \*\/)/, '"also", before the verb'],
  [/\b(?:is|are|was|were|be|been|not|only) looked at\b/, '"checked", or "examined"'],
  [/\b(?:go|goes|went|gone) on (?:with(?:out)?|after|as|behind|from|in|through|to its|up to)\b/, '"continue"'],
  [/\bwhat becomes of\b/, '"what happens to"'],
  [/\bat hand\b/, '"available", or who has it'],
  [/\b(?:holds?|held|holding) (?!up\b)(?:[\w'-]+ ){1,5}against\b/, '"check against", or "compare with"'],
  [/\b(?:is|are) to be [a-z]+ed\b/, '"must be", or who acts'],
  [/\bput together\b/, '"assembled", "combined" or "grouped"'],
  [/\bin the place of\b/, '"in place of", or "replaces"'],
  [/\bone (?:[a-z]+ )?behind the other\b/, '"in sequence"'],
  [/\bsays? of\b/, '"says about", or what it describes'],
  [/\bthe ones? of\b/, '"that of", or "the one that ..."'],
  [/\/\*\* the same (?:after|as|for|in|of|with)\b/, '"Like f(), for ...", with the name of the other function'],
];

/** Of a source, its comments, the titles of its tests and sentences in a line of their own. The rest is empty. */
export function proseOf(text) {
  const ofLine = (line) => {
    const title = /^\s*(?:(?:it|test|describe)\b.*?\(|\].*?\()(["'`])(.*?)\1,/.exec(line)?.[2];
    const sentence = /^\s*(["'`])([\w-]+(?: [^"'`\\]+){3,})\1,$/.exec(line)?.[2];
    if (sentence) return `${sentence}.`;
    // two titles are two sentences
    return title ? `${title}.` : (/^\s*(?:\/\/|\/?\*).*|(?<=[\s;,{(])\/\/ .*/.exec(line)?.[0] ?? "");
  };
  return text.split("\n").map(ofLine).join("\n");
}

/** Phrases of the list in { path, text }, even across lines, except in the table of the style itself. */
export function checkLanguage(files) {
  return files.flatMap(({ path, text }) => {
    const prose = text
      .replace(/^\|.*Like this.*\n(?:\|.*\n)*/gm, (table) => table.replace(/[^\n]/g, " "))
      .replace(/\n[ \t]*(?:\/\/|\*)?[ \t]?(?=\S)/g, (gap) => " ".repeat(gap.length));
    return PHRASES.flatMap(([pattern, instead]) =>
      [...prose.matchAll(new RegExp(pattern.source.replaceAll(" ", " +"), "gi"))].map(
        ({ 0: found, index }) =>
          `${path}:${text.slice(0, index).split("\n").length} "${found.replace(/ +/g, " ")}": write ${instead} (style in CONTRIBUTING.md)`,
      ),
    );
  });
}
