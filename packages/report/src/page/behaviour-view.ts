// What devices do, for all kinds of device or for one that a person chooses.

import { actionLines, whoWords } from "@firmseal/behaviour";
import { el, list, visibleText } from "./dom.js";
import { REPORT_TEXTS } from "./texts.js";
import type { Verified } from "./verify.js";
import type { Heading } from "./view.js";

/** Names of devices instead of their identifiers, which follow from the names. */
export function named({ names }: Pick<Verified, "names">, text: string): string {
  let out = text;
  for (const [id, name] of Object.entries(names)) out = out.replaceAll(id, () => `${name} (${id.slice(0, 8)}…)`);
  return out;
}

function actions(title: string, lines: readonly string[]): Node[] {
  if (lines.length === 0) return [el("p", {}, `${title}: ${REPORT_TEXTS.nothing}`)];
  return [el("p", {}, `${title}:`), list("ol", lines)];
}

type Behaviour = Verified["behaviours"][number];

function behaviourView(one: Behaviour, components: Verified["components"], title: HTMLElement): HTMLElement {
  const refused = one.refused && {
    during: one.refused.during === "start" ? `${REPORT_TEXTS.start}: ` : "",
    words: `${one.refused.words} (${one.refused.code} ${one.refused.reason})`,
  };
  const words = (list: Behaviour["install"]) => actionLines(list, components);
  return el(
    "div",
    { class: "kind" },
    title,
    ...actions(REPORT_TEXTS.installation, words(one.install)),
    ...(refused
      ? [el("p", { class: "bad" }, `${refused.during}${REPORT_TEXTS.refuses}: ${refused.words}`)]
      : actions(REPORT_TEXTS.start, words(one.start))),
  );
}

/** Hides the others while one is chosen. Printed, all are there. */
function chooser(titles: readonly string[], views: readonly HTMLElement[]): HTMLElement {
  const options = [REPORT_TEXTS.allKinds, ...titles].map((title, i) => el("option", { value: String(i - 1) }, title));
  const choice = el("select", {}, ...options) as HTMLSelectElement;
  choice.addEventListener("change", () => {
    const chosen = Number(choice.value);
    for (const [i, view] of views.entries()) view.classList.toggle("other", chosen >= 0 && i !== chosen);
  });
  return el("p", { class: "choice" }, el("label", {}, `${REPORT_TEXTS.kinds} `, choice));
}

/** What every kind of device does. */
export function behaviourViews(verified: Verified, heading: Heading): Node[] {
  const { behaviours, components } = verified;
  const titles = behaviours.map((one) => visibleText(named(verified, whoWords(one))));
  const views = behaviours.map((one, i) => behaviourView(one, components, heading(2, titles[i] as string)));
  return [...(views.length > 1 ? [chooser(titles, views)] : []), ...views, el("p", { class: "dim" }, REPORT_TEXTS.stops)];
}
