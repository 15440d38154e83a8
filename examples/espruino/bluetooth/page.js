// The page: files in, a verdict of its own, and then the board. Everything that comes from files or the board is shown
// as text.

import { Board } from "./board.js";
import { verified } from "./release.js";

const $ = (id) => document.getElementById(id);

/** The refusals that people meet. docs/reference/errors.md has all. */
const WORDS = {
  38: "an older release is refused",
  50: "the app has no line of keys, or the keys cannot be used",
  60: "the signature is not valid",
  61: "signed by an unknown key",
  65: "the key does not count for this number",
  75: "for another vendor",
  76: "for another class of board",
  78: "the app is not the one that is signed",
  86: "no update is under way",
  92: "the app has another size, or is too large",
  99: "no room: make room on safe power, then send again",
  100: "the previous release is still on trial: let it run and confirm",
  101: "another release with this number is installed",
  130: "the release has another form: sign with --for micro",
};
const inWords = (error) =>
  error.code >= 0 ? `refused with ${error.code}: ${WORDS[error.code] ?? "see the list of refusals"}` : error.message;

const MOST_LINES = 100;
let files;
let board;
let busy = false;

function tell(id, text, bad = false) {
  $(id).textContent = text;
  $(id).className = bad ? "bad" : "";
}

function said(line) {
  const pre = $("said");
  pre.append(`${line.slice(0, 200)}\n`);
  while (pre.childNodes.length > MOST_LINES) pre.firstChild.remove();
}

function enable() {
  $("send").disabled = busy || !files;
  $("room").disabled = busy || !$("power").checked;
  $("restart").disabled = busy || !board;
}

async function bytesOf(id, most) {
  const [file] = $(id).files;
  if (!file) return undefined;
  if (file.size > most) throw new Error(`${file.name} is longer than ${most} bytes.`);
  return new Uint8Array(await file.arrayBuffer());
}

let turn = 0;
async function verify() {
  const mine = ++turn;
  files = undefined;
  enable();
  $("facts").replaceChildren();
  // the verdict on other files must not be shown with these
  tell("verdict", "Verifying.");
  try {
    const [envelope, app, keys] = [await bytesOf("release", 6000), await bytesOf("app", 1 << 20), await bytesOf("keys", 1 << 20)];
    // another file was chosen meanwhile
    if (mine !== turn) return;
    if (!envelope || !app || !keys) tell("verdict", "Choose the three files.");
    else {
      const facts = verified(envelope, app, new TextDecoder("latin1").decode(keys));
      const rows = {
        "Sequence number": facts.sequence,
        "Signed by": facts.signer,
        App: `${app.length} bytes`,
        "Digest of the manifest": facts.digest,
      };
      for (const [name, text] of Object.entries(rows)) {
        const [dt, dd] = ["dt", "dd"].map((tag) => document.createElement(tag));
        dt.textContent = name;
        dd.textContent = text;
        $("facts").append(dt, dd);
      }
      tell(
        "verdict",
        "Verified: the signature, the board that it is for, and the app. The board checks them again, and that the release is not older.",
      );
      files = { envelope, app };
    }
  } catch (error) {
    tell("verdict", `Not sent: ${inWords(error)}`, true);
  }
  enable();
}

/** Does something with the board, which it connects first. */
async function act(doing, work, done) {
  busy = true;
  enable();
  try {
    tell("state", "Connecting.");
    if (!board?.device.gatt.connected) board = await Board.connect(said);
    tell("state", doing);
    await work(board);
    tell("state", done);
  } catch (error) {
    tell("state", error.code >= 0 ? `The board ${inWords(error)}.` : inWords(error), true);
  }
  busy = false;
  enable();
}

for (const id of ["release", "app", "keys"]) $(id).addEventListener("change", verify);
$("power").addEventListener("change", enable);
$("send").addEventListener("click", () =>
  act(
    "Sending. The board verifies the signature when it has the envelope, which may take a while.",
    (to) => to.send(files.envelope, files.app, (share) => ($("progress").value = share)),
    "The board says that the release is installed. It runs after the next start.",
  ),
);
$("room").addEventListener("click", () => act("Making room.", (to) => to.room(), "The board says that it has made room."));
$("restart").addEventListener("click", () => act("Restarting.", (to) => to.restart(), "Told the board to start again."));
enable();
document.documentElement.dataset.ready = "1";
