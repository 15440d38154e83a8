// Runs the project's vectors on any JavaScript engine, and says `N passed, N failed, N skipped` at the end. In front of
// it, in the same script, stand a device bundle (firmseal), the vectors (VECTORS), and for a bundle without them the
// numbers of the refusals by name (ERRORS). OPTIONS has `host` for a bundle that needs one, and `typed` for a bundle
// that takes no plain arrays. scripts/conformance.mjs combines them. test-vectors/play/play.ts is the same in
// TypeScript. Only the language of conformance/README.md: every engine has to run this file.
// biome-ignore-all lint: ES5 as engines with tens of kilobytes run it
(function (api, files) {
  "use strict";

  var HEX = "0123456789abcdef",
    passed = 0,
    failed = 0,
    skipped = 0,
    known = [],
    // by question about a signature: what the algorithm has answered; by algorithm: how often it was asked in typed
    // arrays
    answers = {},
    asked = {},
    MOST_TYPED = 40,
    // not in the arguments below: behind the vectors, MuJS has no address for the jumps of a condition
    errors = api.errors || (typeof ERRORS === "undefined" ? {} : ERRORS),
    options = typeof OPTIONS === "undefined" ? {} : OPTIONS,
    // by form: whether octets come in typed arrays, and whether envelopes come through a Source
    forms = [],
    name;

  function say(line) {
    if (typeof print === "function") print(line);
    else console.log(line);
  }

  /** Octets, 0 to 255: a plain array, or a Uint8Array where `typed`. */
  function unhex(text, typed) {
    var n = text.length >> 1,
      out = typed ? new Uint8Array(n) : [],
      i;
    for (i = 0; i < n; i++) out[i] = HEX.indexOf(text.charAt(2 * i)) * 16 + HEX.indexOf(text.charAt(2 * i + 1));
    return out;
  }

  /** A value that is not an octet, as a vector names it: it comes from JSON, or from wrong arithmetic. */
  function strange(text) {
    if (text === "undefined") return undefined;
    if (text === "null") return null;
    if (text === "object") return {};
    if (text === "text") return "1";
    return +text;
  }

  /** A Source over octets: each read gives an array of its own. */
  function sourceOf(bytes, typed) {
    return {
      length: bytes.length,
      read: function (at, n) {
        var out = typed ? new Uint8Array(n) : [],
          i;
        for (i = 0; i < n; i++) out[i] = bytes[at + i];
        return out;
      },
    };
  }

  /** The envelope of a vector: octets or a Source. What it has in place of octets needs a plain array. */
  function envelopeOf(v, form) {
    var typed = form.typed && !v.strange,
      bytes = unhex(v.envelope || "", typed),
      i,
      j;
    for (i = 0; v.strange && i < v.strange.length; i++)
      for (j = 0; j < v.strange[i][1]; j++) bytes[v.strange[i][0] + j] = strange(v.strange[i][2]);
    return form.source ? sourceOf(bytes, typed) : bytes;
  }

  function hex(bytes) {
    var out = "",
      i;
    for (i = 0; i < bytes.length; i++) out += HEX.charAt((bytes[i] >> 4) & 15) + HEX.charAt(bytes[i] & 15);
    return out;
  }

  function unhexAll(list, typed) {
    var out = [],
      i;
    for (i = 0; list && i < list.length; i++) out.push(unhex(list[i], typed));
    return out;
  }

  function isObject(v) {
    return typeof v === "object" && !!v;
  }

  function isArray(v) {
    return isObject(v) && typeof v.length === "number";
  }

  /** Whether two values of JSON are the same. */
  function same(a, b) {
    var key;
    if (!isObject(a) || !isObject(b)) return a === b;
    if (isArray(a) !== isArray(b)) return false;
    if (isArray(a)) {
      if (a.length !== b.length) return false;
      for (key = 0; key < a.length; key++) if (!same(a[key], b[key])) return false;
      return true;
    }
    for (key in a) if (!same(a[key], b[key])) return false;
    for (key in b) if (a[key] === undefined && b[key] !== undefined) return false;
    return true;
  }

  /** What is set in `special`, and `general` for the rest. `for (key in undefined)` throws on MicroQuickJS. */
  function merge(general, special) {
    var out = {},
      key;
    if (general) for (key in general) out[key] = general[key];
    if (special) for (key in special) out[key] = special[key];
    return out;
  }

  /**
   * The second of the pair whose first is `key`. Names from outside are never keys of an object: `__proto__` is one of
   * them.
   */
  function lookup(pairs, key) {
    var i;
    for (i = 0; pairs && i < pairs.length; i++) if (pairs[i][0] === key) return pairs[i][1];
    return undefined;
  }

  /**
   * Gives an anchor the same algorithm with its answers kept: vectors, and the forms of one vector, ask again and again
   * about one signature, and small engines spend nearly all of their time there. Typed arrays are verified again, but
   * only a few of the signatures that were good as plain arrays: the difference is how an algorithm reads its octets.
   */
  function remember(anchor, typed) {
    var alg = anchor.alg,
      kind = alg.ids.join() + " ";
    anchor.alg = {
      ids: alg.ids,
      valid: alg.valid,
      verify: function (key, message, signature, host) {
        var question = kind + hex(key) + " " + hex(message) + " " + hex(signature),
          own = (typed ? "typed " : "") + question;
        if (answers[own] === undefined) {
          if (typed && answers[question] === true && asked[kind] >= MOST_TYPED) return true;
          if (typed) asked[kind] = (asked[kind] || 0) + 1;
          answers[own] = alg.verify(key, message, signature, host);
        }
        return answers[own];
      },
    };
  }

  function trustOf(t, typed) {
    var trust = { anchors: [] },
      i,
      a;
    for (i = 0; i < t.anchors.length; i++) {
      a = t.anchors[i];
      trust.anchors.push(api.anchor(a.alg, unhex(a.key, typed), a.kid === undefined ? undefined : unhex(a.kid, typed)));
      remember(trust.anchors[i], typed);
      if (a.vendor !== undefined) trust.anchors[i].vendor = unhex(a.vendor, typed);
      if (a.class !== undefined) trust.anchors[i].class = unhex(a.class, typed);
      if (a.since !== undefined) trust.anchors[i].since = a.since;
      if (a.until !== undefined) trust.anchors[i].until = a.until;
    }
    if (t.threshold !== undefined) trust.threshold = t.threshold;
    if (t.floor) trust.floor = t.floor;
    return trust;
  }

  function wornOut() {
    throw new Error("flash worn out");
  }

  /** What a device refuses by itself. */
  function refused(name) {
    var e = new Error(name);
    e.code = errors[name];
    e.at = -1;
    throw e;
  }

  function full() {
    refused("STORAGE_FULL");
  }

  function onTrial() {
    refused("UNCONFIRMED");
  }

  /** Two slots for each component, one of them current: packages/verifier/src/device/memory.ts, for numbers only. */
  function deviceOf(d, typed) {
    var device = {
        parts: [],
        sequence: d.sequence || [0, 0],
        counted: d.counters ? unhex(d.counters, typed) : null,
        invoked: [],
        installing: false,
      },
      ids = d.components || [],
      capacity = d.capacity === undefined ? 64 : d.capacity,
      i,
      part;

    function index(id) {
      var k, n;
      for (k = 0; k < ids.length; k++) {
        for (n = 0; n < id.length && n < ids[k].length && hex(id[n]) === ids[k][n]; n++);
        if (n === id.length && n === ids[k].length) return k;
      }
      return -1;
    }

    function find(id) {
      var k = index(id);
      if (k < 0) throw new Error("no such component");
      return device.parts[k];
    }

    function bytesOf(id, fresh) {
      var p = find(id);
      return fresh ? p.fresh : p.slots[p.current];
    }

    for (i = 0; i < ids.length; i++) {
      part = { slots: [[], []], current: (d.slots && d.slots[i]) || 0, fresh: null };
      part.slots[part.current] = unhex(lookup(d.current, i) || "", false);
      device.parts.push(part);
    }
    device.identity = { vendor: unhexAll(d.vendor, typed), class: unhexAll(d.class, typed), device: unhexAll(d.device, typed) };
    device.floor = function () {
      return device.sequence;
    };
    device.counters = function () {
      return device.counted;
    };
    device.discard = function () {
      var k, p;
      for (k = 0; k < device.parts.length; k++) {
        p = device.parts[k];
        if (p.fresh && device.installing) p.slots[1 - p.current] = [];
        p.fresh = null;
      }
    };
    device.begin = function (installing) {
      device.discard();
      device.installing = installing;
    };
    device.capacity = function (id) {
      return index(id) < 0 ? -1 : capacity;
    };
    device.slot = function (id) {
      return device.installing ? 1 - find(id).current : find(id).current;
    };
    device.erase = function (id) {
      var p = find(id);
      p.fresh = [];
      if (device.installing) p.slots[1 - p.current] = p.fresh;
    };
    device.write = function (id, offset, bytes) {
      var fresh = find(id).fresh,
        k;
      for (k = 0; k < bytes.length; k++) fresh[offset + k] = bytes[k];
      if (d.fault === "rot" && offset === 0) fresh[0] = (bytes.length ? bytes[0] : 0) ^ 1;
    };
    device.size = function (id, fresh) {
      return bytesOf(id, fresh).length;
    };
    device.read = function (id, offset, n, fresh) {
      var from = bytesOf(id, fresh),
        out = typed ? new Uint8Array(n) : [],
        k;
      for (k = 0; k < n; k++) out[k] = from[offset + k];
      return out;
    };
    device.invoke = function (id, args) {
      var k,
        component = [];
      for (k = 0; k < id.length; k++) component.push(hex(id[k]));
      device.invoked.push(args === undefined ? { component: component } : { component: component, args: hex(args) });
      return true;
    };
    device.keep = function (envelope) {
      return typeof envelope.read === "function" ? envelope.read(0, envelope.length) : envelope;
    };
    device.persist = function (commit) {
      var k, p;
      for (k = 0; k < commit.written.length; k++) {
        p = find(commit.written[k]);
        p.current = 1 - p.current;
        p.fresh = null;
      }
      device.sequence = commit.sequence;
      device.counted = commit.counters;
    };
    device.fetch = function (uri) {
      var payload = lookup(d.payloads, uri);
      return payload === undefined ? undefined : unhex(payload, typed);
    };
    if (d.dangerouslySkipIdentity) device.dangerouslySkipIdentity = true;
    if (d.dangerouslySkipDigest) device.dangerouslySkipDigest = true;
    if (d.fault === "full") device.erase = full;
    if (d.fault === "trial") device.begin = onTrial;
    if (d.fault === "erase") device.erase = wornOut;
    if (d.fault === "write") device.write = wornOut;
    if (d.fault === "persist") device.persist = wornOut;
    return device;
  }

  function effectSpec(e) {
    var out = {},
      key,
      v;
    for (key in e) {
      v = e[key];
      if (typeof v === "number" || typeof v === "string") out[key] = v;
      else if (v !== undefined) out[key] = typeof v.alg === "number" ? [v.alg, hex(v.bytes)] : hex(v);
    }
    return out;
  }

  /** Drives an installation or a start to its end, with payloads that arrive as the vector says. */
  function drive(progress, chunks, typed) {
    var effect = progress.next(),
      pieces,
      i;
    while (effect) {
      pieces = lookup(chunks, effect.uri);
      if (pieces) for (i = 0; i < pieces.length; i++) progress.next(unhex(pieces[i], typed));
      effect = progress.next(!!pieces);
    }
  }

  /** The content of a trust file, and the keys that a device trusts by it. */
  function playTrust(v, envelope, roots, device, typed) {
    var before = v.previous === undefined ? roots : api.embeddedTrust(unhex(v.previous, typed)),
      store = v.action === "trust" ? api.trustFileUnchecked(envelope, before) : api.embeddedTrust(envelope),
      out = { ok: true, sequence: store.sequence },
      policy,
      i;
    if (v.role === undefined) return out;
    policy = api.policyOf(store, v.role, device.identity);
    out.trusted = [];
    for (i = 0; i < policy.anchors.length; i++) out.trusted.push(store.anchors.indexOf(policy.anchors[i]));
    out.threshold = policy.threshold;
    return out;
  }

  function play(v, trustSpec, device, effects, form) {
    var typed = form.typed,
      envelope = envelopeOf(v, form),
      trust = trustOf(trustSpec, typed),
      slots = [],
      host = merge(options.host, v.memory === undefined ? {} : { memory: v.memory }),
      i,
      m,
      run,
      e;
    if (v.action === "anchor") return { ok: true };
    if (v.action === "trust" || v.action === "embedded") return playTrust(v, envelope, trust, device, typed);
    if (v.store) trust = api.policyOf(api.embeddedTrust(unhex(v.store.file, typed)), v.store.role, device.identity);
    if (v.action === "install" || v.action === "boot") {
      drive(api[v.action](envelope, trust, device, host), v.device && v.device.chunks, typed);
      for (i = 0; i < device.parts.length; i++) slots.push(hex(device.parts[i].slots[device.parts[i].current]));
      return { ok: true, sequence: device.sequence, current: slots, invoked: device.invoked };
    }
    m = api.open(envelope, trust, host);
    if (v.action === "open") return { ok: true, sequence: m.sequence, signers: m.signers, absent: m.absent };
    run = api.start(m, v.sections || [], device.identity);
    if (v.action === "step") {
      for (i = 0; i < v.outcomes.length; i++) {
        if (v.outcomes[i] === null) api.step(run);
        else api.step(run, v.outcomes[i]);
      }
      return { ok: true };
    }
    i = 0;
    e = api.step(run);
    while (e) {
      effects.push(effectSpec(e));
      e = api.step(run, v.outcomes && i < v.outcomes.length ? v.outcomes[i] : true);
      i++;
    }
    return { ok: true, effects: effects };
  }

  /**
   * The refusal as a result, or what is wrong with it: whatever else is thrown is a fault, whatever the vector expects.
   */
  function refusal(e, length) {
    var code = isObject(e) ? e.code : undefined,
      at = isObject(e) ? e.at : undefined;
    if (typeof code !== "number") return { escaped: String(isObject(e) && e.message ? e.message : e) };
    if (known.indexOf(code) < 0) return { unknown: code };
    if (typeof at !== "number" || at !== Math.floor(at) || at < -1 || at > length) return { code: code, at: String(at) };
    return { code: code, at: at };
  }

  /** What a refusal must leave as it was. */
  function state(device) {
    var parts = [],
      i;
    for (i = 0; i < device.parts.length; i++) parts.push([device.parts[i].current, device.parts[i].slots]);
    return [parts, device.sequence, device.invoked];
  }

  /** An empty text, or what was wrong. */
  function check(v, defaults, form) {
    var typed = form.typed,
      spec = merge(defaults.device, v.device),
      device = deviceOf(spec, typed),
      effects = [],
      result;
    try {
      result = play(v, v.trust || defaults.trust, device, effects, form);
    } catch (e) {
      result = refusal(e, (v.envelope || "").length >> 1);
      if (v.expect.at === undefined && typeof result.at === "number") delete result.at;
      if (v.expect.effects) result.effects = effects;
    }
    if (!same(result, v.expect)) return "expected " + JSON.stringify(v.expect) + ", got " + JSON.stringify(result);
    if (result.code !== undefined && !same(state(device), state(deviceOf(spec, typed)))) return "the refusal has changed the device";
    return "";
  }

  function one(v, defaults) {
    var i,
      wrong = "";
    // these take what only decodeEnvelope() gives, which no device has
    if (v.action === "decode" || v.action === "start") {
      skipped++;
      return;
    }
    for (i = 0; i < forms.length && !wrong; i++) {
      wrong = check(v, defaults, forms[i]);
      if (wrong) say("FAIL " + v.name + ", " + forms[i].name + ": " + wrong);
    }
    if (wrong) failed++;
    else passed++;
  }

  function all() {
    var f, i;
    for (f = 0; f < files.length; f++) for (i = 0; i < files[f].vectors.length; i++) one(files[f].vectors[i], files[f].defaults);
  }

  for (name in errors) known.push(errors[name]);
  if (!options.typed) forms.push({ name: "plain arrays", typed: false, source: false });
  if (typeof Uint8Array !== "undefined") forms.push({ name: "typed arrays", typed: true, source: false });
  forms.push({ name: "a Source", typed: forms[forms.length - 1].typed, source: true });
  all();
  say(passed + " passed, " + failed + " failed" + (skipped ? ", " + skipped + " skipped" : ""));
})(firmseal, VECTORS);
