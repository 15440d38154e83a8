// A board's console over the Nordic UART service: one line is sent, and one number comes back.

const SERVICE = "6e400001-b5a3-f393-e0a9-e50e24dcca9e";
const TO_BOARD = "6e400002-b5a3-f393-e0a9-e50e24dcca9e";
const FROM_BOARD = "6e400003-b5a3-f393-e0a9-e50e24dcca9e";
const NAMES = ["Puck.js", "Pixl.js", "MDBT42Q", "Bangle.js", "Jolt.js", "Espruino"];

/** Bytes in one write: what every connection carries. */
const MTU = 20;
/** Bytes of a release in one line. */
const STEP = 192;
/** An Ed25519 signature takes a minute or more on a slow board. */
const SECONDS = 180;
const MOST_LINE = 500;
/** Flow control of the console. */
const XOFF = 0x13;
const XON = 0x11;

/** The board refused, with a number. */
export class Refused extends Error {
  constructor(code) {
    super(`refused with ${code}`);
    this.code = code;
  }
}

export class Board {
  #line = "";
  #free = Promise.resolve();
  #resume;
  /**
   * The number of the last call: its answer repeats it. An answer to an older one, on this connection or another, is
   * not taken for it.
   */
  #call = crypto.getRandomValues(new Uint32Array(1))[0];
  #answer;
  /** Why the last call has ended before its line was written. */
  #failed;
  #gone = new Error("The board has disconnected.");

  /** `said` gets each line that the board says, as untrusted text. */
  static async connect(said, bluetooth = navigator.bluetooth) {
    if (!bluetooth) throw new Error("This browser has no Web Bluetooth. Use Chrome or Edge.");
    const filters = [{ services: [SERVICE] }, ...NAMES.map((namePrefix) => ({ namePrefix }))];
    const device = await bluetooth.requestDevice({ filters, optionalServices: [SERVICE] });
    const board = new Board();
    const service = await (await device.gatt.connect()).getPrimaryService(SERVICE);
    const from = await service.getCharacteristic(FROM_BOARD);
    board.to = await service.getCharacteristic(TO_BOARD);
    board.device = device;
    board.said = said;
    device.addEventListener("gattserverdisconnected", () => board.#fail(board.#gone));
    from.addEventListener("characteristicvaluechanged", ({ target }) =>
      board.#heard(new Uint8Array(target.value.buffer, target.value.byteOffset, target.value.byteLength)),
    );
    await from.startNotifications();
    // ends a line that somebody has begun
    await board.#limited(() => board.#write("\x03\n"));
    return board;
  }

  close() {
    this.device.gatt.disconnect();
  }

  #pause() {
    if (!this.#resume) this.#free = new Promise((go) => (this.#resume = go));
  }

  #go() {
    this.#resume?.();
    this.#resume = undefined;
  }

  #fail(error) {
    this.#failed = error;
    this.#go();
    this.#answer?.no(error);
  }

  #heard(bytes) {
    for (const byte of bytes) {
      if (byte === XOFF) this.#pause();
      else if (byte === XON) this.#go();
      else if (byte === 10) {
        const line = this.#line.replace(/^>+/, "");
        this.#line = "";
        const [, call, number] = /^firmseal (\d{1,10}): (\d{1,3})$/.exec(line) ?? [];
        if (call && Number(call) === this.#call && this.#answer) this.#answer.yes(Number(number));
        else if (line) this.said(line);
        if (line.startsWith("Uncaught")) this.#answer?.no(new Error("The board reports an error. See below."));
      } else if (byte >= 32 && this.#line.length < MOST_LINE) this.#line += String.fromCharCode(byte);
    }
  }

  async #write(text) {
    for (let at = 0; at < text.length; at += MTU) {
      await this.#free;
      // a board that stops the flow again and again; half a line is on it, which the next connection ends
      if (this.#failed) {
        this.close();
        throw this.#failed;
      }
      if (!this.device?.gatt.connected) throw this.#gone;
      await this.to.writeValueWithResponse(Uint8Array.from(text.slice(at, at + MTU), (c) => c.charCodeAt(0)));
    }
  }

  /** Does something that the board may keep waiting, for a limited time. */
  async #limited(work, seconds = SECONDS) {
    const timer = setTimeout(() => this.#fail(new Error(`The board has not answered in ${seconds} s.`)), seconds * 1000);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      this.#failed = undefined;
    }
  }

  /** Calls a function of the board's Storage file "update". Throws Refused, and Errors of the connection. */
  async call(text, seconds = SECONDS) {
    const answer = new Promise((yes, no) => {
      this.#answer = { yes, no };
    });
    // it may fail while the line is still being written
    answer.catch(() => {});
    try {
      const code = await this.#limited(async () => {
        this.#call = (this.#call + 1) % 2 ** 32;
        await this.#write(`\x10print("firmseal ${this.#call}: "+require("update").${text})\n`);
        return await answer;
      }, seconds);
      if (code !== 0) throw new Refused(code);
    } finally {
      this.#answer = undefined;
    }
  }

  /** Sends a release. `progress` gets the share that is sent. */
  async send(envelope, image, progress) {
    const total = envelope.length + image.length;
    let sent = 0;
    await this.call(`begin(${envelope.length})`);
    for (const bytes of [envelope, image])
      for (let at = 0; at < bytes.length; at += STEP) {
        const part = bytes.subarray(at, at + STEP);
        await this.call(`put(atob("${btoa(String.fromCharCode(...part))}"))`);
        sent += part.length;
        progress(sent / total);
      }
    await this.call("end()");
  }

  room() {
    return this.call("room()");
  }

  restart(seconds = SECONDS) {
    return this.#limited(() => this.#write("\x10load()\n"), seconds);
  }
}
