// GENERATED from ../tools/template-table.ts. DO NOT EDIT: change the table there, then run `pnpm template`.

/** The template `firmseal-single-1`: docs/reference/template.md. */
export const TEMPLATE =
  "d86b|a202{|82{822f5820G]{d284{|a101I(04J~]a0f6N}!}03{a6010102T03{a2028181410004{8614a40150G0250G03{822f5820G}0eP010f020f}}07{82030f}09{821702}14{8614a115K1502030f}](69236669726d77617265R~";

/** Like TEMPLATE, with #firmware as the URI, for micro verifiers without images outside the envelope. */
export const TEMPLATE_INSIDE =
  "d86b|a202{|82{822f5820G]{d284{|a101I(04J~]a0f6N}!}03{a6010102T03{a2028181410004{8614a40150G0250G03{822f5820G}0eP010f020f}}07{82030f}09{821702}14{8614a11569236669726d776172651502030f}](69236669726d77617265R~";
