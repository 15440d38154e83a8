// Messages for people while a key is in use. Packages below the command line print nothing: their caller registers a
// listener.

/** The progress of long work. */
export interface ProgressBar {
  at(done: number): void;
  end(): void;
}

export interface Listener {
  /** Reports a possible mistake or an upcoming problem, in one line. */
  warn(text: string): void;
  /** What is good to know. One line. `danger`: what a person must not overlook. */
  say(text: string, how?: "danger"): void;
  /** Long work begins: `total` steps of it. */
  progress(what: string, total: number): ProgressBar;
}

let listener: Listener = {
  warn: (text) => process.emitWarning(text, "FirmsealWarning"),
  say() {},
  progress: () => ({ at() {}, end() {} }),
};

/**
 * Registers the listener of warnings for the whole process. Without one, warnings go to the process
 * (`process.on("warning")`).
 *
 * @param to - The listener.
 */
export function listen(to: Listener): void {
  listener = to;
}

/** Warns the user of something that may be a mistake. The work continues. */
export function warn(text: string): void {
  listener.warn(text);
}

/** Shows the user a fact that does not change the result. `how`: "danger" for one that needs attention. */
export function notice(text: string, how?: "danger"): void {
  listener.say(text, how);
}

/** Announces work of `total` steps, and returns what shows how far it is. `what`: the work, in words. */
export function progress(what: string, total: number): ProgressBar {
  return listener.progress(what, total);
}
