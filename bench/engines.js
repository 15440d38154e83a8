// Times one task on any engine: bench/engines.mjs appends this to a script that sets TASKS, a list of [name, function,
// units], ROUNDS, and LEAST, the milliseconds of a sample. Prints `TIME name milliseconds` for each, the median of
// ROUNDS for one unit. With CALLS, it only calls each task that many times. It uses only the language of
// conformance/README.md.
// biome-ignore-all lint: ES5 as engines with tens of kilobytes run it
(function (tasks, rounds) {
  "use strict";

  function say(line) {
    if (typeof print === "function") print(line);
    else console.log(line);
  }

  function now() {
    return typeof Date === "function" && Date.now ? Date.now() : getTime() * 1000;
  }

  /** Milliseconds of one call, over as many as take `least`. */
  function sample(run, least) {
    var start = now(),
      calls = 0,
      elapsed = 0;
    do {
      run();
      calls++;
      elapsed = now() - start;
    } while (elapsed < least);
    return elapsed / calls;
  }

  function measure(name, run, units) {
    var seen = [],
      i,
      j,
      t;
    if (typeof CALLS !== "undefined") {
      for (i = 0; i < CALLS; i++) if (run() === false) say("FAIL " + name);
      return;
    }
    if (run() === false) {
      say("FAIL " + name);
      return;
    }
    // one sample more than is needed, for engines that compile what is hot
    sample(run, LEAST);
    for (i = 0; i < rounds; i++) {
      t = sample(run, LEAST);
      for (j = seen.length; j > 0 && seen[j - 1] > t; j--) seen[j] = seen[j - 1];
      seen[j] = t;
    }
    say("TIME " + name + " " + seen[(rounds - 1) / 2] / units);
  }

  var i;
  for (i = 0; i < tasks.length; i++) {
    try {
      measure(tasks[i][0], tasks[i][1], tasks[i][2]);
    } catch (e) {
      say("FAIL " + tasks[i][0] + " " + e);
    }
  }
  say("DONE");
})(TASKS, ROUNDS);
