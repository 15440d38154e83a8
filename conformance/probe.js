// What ECMA-262 says and an engine may leave to its C, to the processor, or out: one line for each probe, `probe NAME
// ok`, `probe NAME differs: got X` or `probe NAME skipped: ...`, and `N probed, N differ` at the end. It needs nothing
// but print() or console.log(). docs/reference/engine-differences.md says what the code for devices does about each
// difference. Only the language of conformance/README.md: every engine has to run this file.
// biome-ignore-all lint: ES5 as engines with tens of kilobytes run it
(function () {
  "use strict";

  var probed = 0,
    differ = 0,
    HAS_TYPED = typeof Uint8Array !== "undefined",
    nothing,
    i,
    x;

  function say(line) {
    if (typeof print === "function") print(line);
    else console.log(line);
  }

  /** Hides a number from whatever works out constants. */
  function given(n) {
    return n;
  }

  /** Runs a probe: `run` gives what comes out, `expected` is that as text. */
  function probe(name, expected, run) {
    var got;
    probed++;
    try {
      got = "" + run();
    } catch (e) {
      got = "an error";
    }
    if (got !== expected) differ++;
    say("probe " + name + (got === expected ? " ok" : " differs: got " + got));
  }

  /** The same, for what needs typed arrays. */
  function probeTyped(name, expected, run) {
    if (HAS_TYPED) probe(name, expected, run);
    else say("probe " + name + " skipped: no typed arrays");
  }

  function byteOf(value) {
    var b = new Uint8Array(1);
    b[0] = value;
    return b[0];
  }

  function wordOf(value) {
    var w = new Uint32Array(1);
    w[0] = value;
    return w[0];
  }

  // shifts: counts are modulo 32 (§13.9)
  probe("shift-left-by-32", "1", function () {
    return given(1) << given(32);
  });
  probe("shift-left-by-33", "2", function () {
    return given(1) << given(33);
  });
  probe("shift-left-by-negative", "-2147483648", function () {
    return given(1) << given(-1);
  });
  probe("shift-right-by-33", "131296", function () {
    return given(262592) >> given(33);
  });
  probe("shift-unsigned-by-32", "5", function () {
    return given(5) >>> given(32);
  });
  probe("shift-by-31", "-2147483648 -1 1", function () {
    return (given(1) << given(31)) + " " + (given(-2147483648) >> given(31)) + " " + (given(-2147483648) >>> given(31));
  });
  probe("shift-unsigned-by-0", "4294967295", function () {
    return given(-1) >>> given(0);
  });
  probe("shift-unsigned-above-2^32", "2", function () {
    return (given(8589934597) - 4294967297) >>> given(1);
  });

  // doubles to integers (§7.1.6): modulo 2^32
  probe("bits-above-2^31", "-2147483648", function () {
    return given(2147483648) | 0;
  });
  probe("bits-above-2^32", "5 -1", function () {
    return (given(30064771077) | 0) + " " + (given(34359738367) | 0);
  });
  probe("bits-to-2^53", "-1 1", function () {
    return (given(9007199254740991) | 0) + " " + (given(-9007199254740991) | 0);
  });
  probe("bits-above-2^63", "2048", function () {
    return (given(4503599627370496) * 2048 + 2048) | 0;
  });
  probe("bits-of-fractions", "1 -1", function () {
    return ((given(3) / 2) | 0) + " " + ((given(-3) / 2) | 0);
  });
  probe("bits-of-nan-and-infinity", "0 0 0", function () {
    return ((given(0) / 0) | 0) + " " + ((given(1) / 0) | 0) + " " + ((given(-1) / 0) >>> 0);
  });
  probe("bits-of-undefined", "0 255", function () {
    return (given(nothing) & 255) + " " + (given(nothing) | 255);
  });
  probe("bits-of-two-undefined", "0", function () {
    return given(nothing) | given(nothing);
  });
  probe("bits-of-negatives", "3 7", function () {
    return (given(-61) & 31) + " " + (given(-9) & 7);
  });
  probe("bits-of-booleans", "1 0", function () {
    return (0 | (given(1) !== 2)) + " " + (0 | (given(1) === 2));
  });

  // typed arrays: values modulo 2^8 and 2^32 (§10.4.5)
  probeTyped("byte-above-255", "44 0 5", function () {
    return byteOf(300) + " " + byteOf(256) + " " + byteOf(4294967301);
  });
  probeTyped("byte-below-0", "255 1", function () {
    return byteOf(-1) + " " + byteOf(-4294967295);
  });
  probeTyped("byte-of-fractions", "1 255", function () {
    return byteOf(given(3) / 2) + " " + byteOf(given(-3) / 2);
  });
  probeTyped("byte-of-nan-and-infinity", "0 0 0", function () {
    return byteOf(given(0) / 0) + " " + byteOf(given(1) / 0) + " " + byteOf(given(-1) / 0);
  });
  probeTyped("byte-of-other-values", "0 0 7 0 1", function () {
    return byteOf(nothing) + " " + byteOf(null) + " " + byteOf("7") + " " + byteOf({}) + " " + byteOf(true);
  });
  probeTyped("word-above-2^32", "5 4294967295", function () {
    return wordOf(30064771077) + " " + wordOf(34359738367);
  });
  probeTyped("word-below-0", "4294967295 2147483648", function () {
    return wordOf(-1) + " " + wordOf(-2147483648);
  });
  probeTyped("word-to-2^53", "4294967295 1", function () {
    return wordOf(9007199254740991) + " " + wordOf(-9007199254740991);
  });
  probeTyped("word-above-2^63", "2048", function () {
    return wordOf(given(4503599627370496) * 2048 + 2048);
  });
  probeTyped("word-of-fractions", "3 4294967293", function () {
    return wordOf(given(7) / 2) + " " + wordOf(given(-7) / 2);
  });
  probeTyped("typed-from-an-array", "0,255,1,0,7", function () {
    var b = new Uint8Array([256, -1, given(3) / 2, given(0) / 0, "7"]);
    return b[0] + "," + b[1] + "," + b[2] + "," + b[3] + "," + b[4];
  });
  probeTyped("typed-set", "44 255", function () {
    var b = new Uint8Array(2);
    b.set([300, -1]);
    return b[0] + " " + b[1];
  });
  probeTyped("typed-store-past-the-end", "2 undefined", function () {
    var b = new Uint8Array(2);
    b[2] = 7;
    return b.length + " " + b[2];
  });
  probeTyped("typed-read-past-the-end", "undefined", function () {
    var b = new Uint8Array(2);
    return b[given(9)];
  });
  probeTyped("typed-read-below-0", "undefined", function () {
    var b = new Uint8Array(2);
    return b[given(-1)];
  });
  probeTyped("doubles-in-an-array", "9007199254740991 -4503599627370495", function () {
    var f = new Float64Array(2);
    f[0] = 9007199254740991;
    f[1] = -4503599627370495;
    return f[0] + " " + f[1];
  });

  // integers that leave 32 bits
  probe("add-above-2^31", "2147483648 -2147483649", function () {
    return given(2147483647) + 1 + " " + (given(-2147483648) - 1);
  });
  probe("multiply-above-2^31", "4294967296 0", function () {
    return given(65536) * given(65536) + " " + (given(2147483647) * given(2147483647) - 4611686014132420609);
  });
  probe("count-above-2^31", "2147483648 -2147483649 4294967294", function () {
    var up = given(2147483647),
      down = given(-2147483648),
      more = given(2147483647);
    up++;
    down--;
    more += more;
    return up + " " + down + " " + more;
  });
  probe("negate-the-minimum", "2147483648 2147483648", function () {
    return -given(-2147483648) + " " + Math.abs(given(-2147483648));
  });
  probe("product-to-2^53", "9007199136250225", function () {
    return given(94906265) * given(94906265);
  });
  probe("sum-to-2^53", "9007199254740991", function () {
    return given(9007199254740990) + 1;
  });
  probe("imul", "-5", function () {
    return Math.imul(given(4294967295), 5);
  });
  probe("decimal-literal", "true", function () {
    return given(1) / 65536 === 0.0000152587890625;
  });

  // division (§6.1.6.1.5, §6.1.6.1.6): the sign of a remainder is that of the dividend
  probe("modulo-of-negative", "-1 1 -1", function () {
    return (given(-7) % 3) + " " + (given(7) % -3) + " " + (given(-7) % -3);
  });
  probe("modulo-0", "NaN NaN", function () {
    return (given(7) % 0) + " " + ((given(7) / 2) % 0);
  });
  probe("modulo-of-the-minimum", "0", function () {
    return given(-2147483648) % given(-1);
  });
  probe("modulo-above-2^32", "5 255", function () {
    return (given(1099511627781) % 256) + " " + (given(9007199254740991) % 256);
  });
  probe("modulo-of-fractions", "3 -3", function () {
    return ((given(11) / 2) % 2) * 2 + " " + ((given(-11) / 2) % 2) * 2;
  });
  probe("modulo-infinity", "5 NaN", function () {
    return (given(5) % (1 / 0)) + " " + ((given(1) / 0) % 5);
  });
  probe("divide-by-0", "Infinity -Infinity NaN", function () {
    return given(1) / 0 + " " + given(-1) / 0 + " " + given(0) / 0;
  });
  probe("divide-the-minimum", "2147483648", function () {
    return given(-2147483648) / given(-1);
  });
  probe("negative-zero", "-Infinity", function () {
    return 1 / (given(0) * -1);
  });
  probe("negative-zero-of-modulo", "-Infinity", function () {
    return 1 / (given(-4) % 2);
  });
  probe("floor", "-2 4503599627370495 NaN", function () {
    return Math.floor(given(-3) / 2) + " " + Math.floor(given(9007199254740991) / 2) + " " + Math.floor(given(0) / 0);
  });

  // comparisons (§7.2.13): NaN compares false
  probe("compare-nan", "false false false false true", function () {
    var n = given(0) / 0;
    return (n < 1) + " " + (n >= 1) + " " + (n === n) + " " + (n == 0) + " " + !(n <= 1);
  });
  probe("compare-undefined", "false false false false", function () {
    var n = given(nothing);
    return (n < 1) + " " + (n >= 0) + " " + (n == 0) + " " + (0 <= n);
  });
  probe("compare-two-undefined", "false", function () {
    return given(nothing) >= given(nothing);
  });
  probe("compare-null", "true false false", function () {
    return (given(null) >= 0) + " " + (given(null) > 0) + " " + (given(null) == 0);
  });
  probe("compare-text-with-number", "true false", function () {
    return ("9" < given(10)) + " " + ("9" < "10");
  });
  probe("compare-above-2^31", "true true false", function () {
    return (given(4294967295) > 2147483647) + " " + (given(-1) < 4294967295) + " " + (given(-1) === 4294967295);
  });
  probe("minimum-of-nan", "NaN NaN", function () {
    return Math.min(given(0) / 0, 1) + " " + Math.max(1, given(0) / 0);
  });
  probe("find-nan", "-1", function () {
    return [1, given(0) / 0].indexOf(given(0) / 0);
  });
  probe("switch-nan", "none", function () {
    switch (given(0) / 0) {
      case 0:
        return "0";
      case given(0) / 0:
        return "NaN";
      default:
        return "none";
    }
  });
  probe("truth", "true true true false", function () {
    return !given(0) + " " + !(given(0) / 0) + " " + !given("") + " " + !given("0");
  });

  // undefined and null in arithmetic
  probe("add-undefined", "NaN NaN", function () {
    return given(nothing) + 1 + " " + given(nothing) * 256;
  });
  probe("add-two-undefined", "NaN", function () {
    return given(nothing) + given(nothing);
  });
  probe("add-null", "1", function () {
    return given(null) + 1;
  });

  // order of evaluation (§13.15.2): left before right
  probe("order-of-a-store", "0 6 1", function () {
    var a = [5, 6];
    i = 0;
    a[i] = i++;
    return a[0] + " " + a[1] + " " + i;
  });
  probe("order-of-an-index-and-a-call", "1 6", function () {
    var a = [5, 6];
    function next() {
      return i;
    }
    i = 0;
    a[i++] = next();
    return a[0] + " " + a[1];
  });
  probe("order-of-a-sum", "6 10", function () {
    var left, right;
    x = 1;
    left = x + (x = 5);
    right = (x = 5) + x;
    return left + " " + right;
  });
  probe("order-of-a-sum-with-a-call", "3", function () {
    function change() {
      x = 10;
      return 2;
    }
    x = 1;
    return x + change();
  });
  probe("order-of-a-compound-assignment", "6", function () {
    x = 1;
    x += x = 5;
    return x;
  });
  probe("order-of-arguments", "0 1 2", function () {
    function list(a, b, c) {
      return a + " " + b + " " + c;
    }
    i = 0;
    return list(i++, i++, i);
  });
  probe("order-of-two-indices", "7 8 2", function () {
    var a = [0, 0],
      b = [7, 8];
    i = 0;
    a[i] = b[i++];
    a[i] = b[i++];
    return a[0] + " " + a[1] + " " + i;
  });

  // strings
  probe("code-past-the-end", "NaN NaN", function () {
    return "ab".charCodeAt(given(2)) + " " + "ab".charCodeAt(given(-1));
  });
  probe("character-past-the-end", "undefined", function () {
    return "ab"[given(2)];
  });
  probe("text-and-undefined", "aundefined", function () {
    return "a" + "ab"[given(2)];
  });
  probe("parse-hexadecimal", "10 NaN NaN 7 15", function () {
    return (
      parseInt("aundefined", 16) +
      " " +
      parseInt("}undefined", 16) +
      " " +
      parseInt("", 16) +
      " " +
      parseInt("7~", 16) +
      " " +
      parseInt("0f", 16)
    );
  });
  probe("substring-of-odd-ends", "ab,c,abc,", function () {
    return "abc".substring(2, 0) + "," + "abc".substring(2, 9) + "," + "abc".substring(-1) + "," + "abc".substring(9);
  });
  probe("find-at-the-end", "-1 1", function () {
    return "ab".indexOf("bc") + " " + "ab".indexOf("b");
  });
  probe("character-above-255", "300", function () {
    return String.fromCharCode(300).charCodeAt(0);
  });

  // arrays
  probe("read-past-the-end", "undefined undefined 1", function () {
    var a = [1];
    return a[given(1)] + " " + a[given(-1)] + " " + a.length;
  });
  probe("store-at-the-end", "2 9", function () {
    var a = [1];
    a[a.length] = 9;
    return a.length + " " + a[1];
  });
  probe("store-past-the-end", "4 undefined", function () {
    var a = [1];
    a[3] = 9;
    return a.length + " " + a[2];
  });
  probe("store-at-a-negative-index", "1 9", function () {
    var a = [1];
    a[given(-1)] = 9;
    return a.length + " " + a[given(-1)];
  });
  probe("delete-an-element", "3 undefined 3", function () {
    var a = [1, 2, 3];
    delete a[1];
    return a.length + " " + a[1] + " " + a[2];
  });
  probe("longer-by-its-length", "3 undefined", function () {
    var a = [1];
    a.length = 3;
    return a.length + " " + a[2];
  });
  probe("take-from-an-empty-array", "undefined 0", function () {
    var a = [];
    return a.pop() + " " + a.length;
  });
  probe("splice-past-the-end", "2,3 1", function () {
    var a = [1, 2, 3];
    return a.splice(1, 9) + " " + a.length;
  });

  // what has no properties
  probe("names-of-undefined", "0", function () {
    var n = 0,
      k;
    for (k in given(nothing)) n++;
    return n;
  });
  probe("property-of-undefined", "caught", function () {
    try {
      return given(nothing).length;
    } catch (e) {
      return "caught";
    }
  });
  probe("missing-argument", "undefined 2", function () {
    function second(a, b) {
      return b;
    }
    return second(1) + " " + second(1, 2, 3);
  });
  probe("finally", "1 2", function () {
    function leave() {
      try {
        return x;
      } finally {
        x = 2;
      }
    }
    x = 1;
    return leave() + " " + x;
  });

  say(probed + " probed, " + differ + " differ");
})();
