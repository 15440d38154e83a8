// Runs the verifier's functions on numbers known only by their bounds (domain.mjs). If a condition may be true or
// false, both branches are explored, one after the other. The language is what the verifier is written in: anything
// else is an error, and never ignored.

import { parse } from "acorn";
import { transformSync } from "esbuild";
import { within } from "../checks/syntax.mjs";
import { Abs, Domain, fixed, Unproved } from "./domain.mjs";

/** More ways than this through one function mean that its driver should bound it otherwise. */
const MOST_PATHS = 4096;

/** Leaves a function. */
class Return {
  constructor(value) {
    this.value = value;
  }
}

/** A place that can be read and written. */
const place = (object, key) => ({ get: () => object[key], set: (value) => (object[key] = value) });

/** The modules of these names; `read` gives the TypeScript source of one. */
export function parseModules(names, read) {
  return names.map((file) => {
    const source = transformSync(read(file), { loader: "ts", target: "es2015" }).code;
    return {
      file,
      source,
      ran: new Set(),
      body: parse(source, { ecmaVersion: 2020, sourceType: "module" }).body.map((n) => n.declaration ?? n),
    };
  });
}

/** The functions of these modules that nothing has run, except those that are known to be left out. */
export function neverRun(modules, known) {
  return modules
    .flatMap(({ ran, body }) => body.filter((n) => n.type === "FunctionDeclaration" && !ran.has(n.id.name)).map((n) => n.id.name))
    .filter((name) => !known.includes(name));
}

export class Interpreter {
  /**
   * `builtins` are what the modules import from other modules, `contracts` what is called instead of some functions:
   * (interpreter, ...arguments).
   */
  constructor(modules, builtins, contracts = {}) {
    this.builtins = builtins;
    this.contracts = contracts;
    this.domain = new Domain();
    this.choices = [];
    this.globals = {};
    this.functions = {};
    for (const module of modules) {
      const { file, source, body } = module;
      Object.assign(this, { file, source });
      for (const node of body)
        if (node.type === "FunctionDeclaration") {
          this.functions[node.id.name] = { node, file, source, ran: module.ran };
          this.globals[node.id.name] = { call: node.id.name };
        }
      for (const node of body) if (node.type === "VariableDeclaration") this.statement(node, this.globals);
    }
    // only values seen from here on count, not the constants
    this.domain = new Domain();
  }

  /** All ways through `work`. */
  explore(work) {
    const open = [[]];
    for (let n = 0; open.length > 0; n++) {
      if (n > MOST_PATHS) throw new Unproved("too many ways through a function");
      this.choices = open.pop();
      this.at = 0;
      this.open = open;
      work();
    }
  }

  /** Whether to continue as if an undecided condition held. */
  choose() {
    if (this.at === this.choices.length) {
      this.open?.push([...this.choices, false]);
      this.choices = [...this.choices, true];
    }
    return this.choices[this.at++];
  }

  /**
   * Runs a function of the source on these arguments, ignoring its contract; `until` is a type of statement that ends
   * it.
   */
  run(name, args, until) {
    const { node, file, source, ran } = this.functions[name];
    ran.add(name);
    const outer = [this.file, this.source, this.name];
    Object.assign(this, { file, source, name });
    const scope = Object.create(this.globals);
    node.params.forEach((p, i) => {
      scope[p.name] = args[i];
    });
    try {
      for (const s of node.body.body) {
        if (s.type === until) return scope;
        const left = this.statement(s, scope);
        if (left) return left.value;
      }
    } finally {
      [this.file, this.source, this.name] = outer;
    }
    return until ? scope : undefined;
  }

  /** Once the body of the innermost loop of a function, in this scope; how often it runs is the answer. */
  steps(name, scope) {
    const { node, file, source, ran } = this.functions[name];
    ran.add(name);
    Object.assign(this, { file, source, name });
    Object.setPrototypeOf(scope, this.globals);
    let loop;
    for (const [n] of within(node)) if (n.type === "ForStatement" && n.body.body?.some((s) => s.type === "IfStatement")) loop = n;
    this.statement(loop.body, scope);
    return loop.test.right.value;
  }

  call(name, args) {
    if (Object.hasOwn(this.contracts, name)) return this.contracts[name](this, ...args);
    return this.run(name, args);
  }

  statement(node, scope) {
    switch (node.type) {
      case "VariableDeclaration":
        for (const { id, init } of node.declarations) scope[id.name] = init ? this.value(init, scope) : undefined;
        return;
      case "ExpressionStatement":
        this.value(node.expression, scope);
        return;
      case "ReturnStatement":
        return new Return(node.argument ? this.value(node.argument, scope) : undefined);
      case "BlockStatement":
        for (const s of node.body) {
          const left = this.statement(s, scope);
          if (left) return left;
        }
        return;
      case "IfStatement":
        if (this.condition(node.test, scope)) return this.statement(node.consequent, scope);
        return node.alternate ? this.statement(node.alternate, scope) : undefined;
      case "ForStatement":
      case "WhileStatement":
        if (node.init) this[node.init.type === "VariableDeclaration" ? "statement" : "value"](node.init, scope);
        while (!node.test || this.condition(node.test, scope)) {
          const left = this.statement(node.body, scope);
          if (left) return left;
          if (node.update) this.value(node.update, scope);
        }
        return;
      case "EmptyStatement":
        return;
      default:
        throw new Unproved(`${this.where(node)}: ${node.type} is not known`);
    }
  }

  where(node) {
    const line = this.source.slice(0, node.start).split("\n").length;
    const text = this.source.slice(node.start, node.end).replace(/\s+/g, " ");
    return `${this.name ?? this.file}, line ${line}: ${text.length > 50 ? `${text.slice(0, 47)}...` : text}`;
  }

  /** A condition, with what it says about a variable put down where it is compared with a constant. */
  condition(node, scope) {
    if (node.type === "LogicalExpression" && node.operator === "&&")
      return this.condition(node.left, scope) && this.condition(node.right, scope);
    if (node.type === "BinaryExpression" && /^[<>]=?$/.test(node.operator) && /^(Identifier|MemberExpression)$/.test(node.left.type)) {
      const left = this.target(node.left, scope);
      const [a, b] = [left.get(), this.value(node.right, scope)];
      if (a instanceof Abs && typeof b === "number") {
        const holds = this.compare(node.operator, a, b);
        const isUpper = (node.operator[0] === "<") === holds;
        // integers that are less are less by 1
        const step = (node.operator.length === 1) === holds && a.unit >= 0 ? fixed(1) : 0n;
        const limit = isUpper ? fixed(b) - step : fixed(b) + step;
        left.set(this.domain.any(isUpper || limit < a.lo ? a.lo : limit, isUpper && limit < a.hi ? limit : a.hi, a.unit));
        return holds;
      }
    }
    return this.truth(this.value(node, scope));
  }

  truth(x) {
    if (!(x instanceof Abs)) return Boolean(x);
    const zero = this.domain.same(x, 0);
    return zero === undefined ? this.choose() : !zero;
  }

  compare(operator, a, b) {
    const d = this.domain;
    const known = { "<": d.less(a, b), ">": d.less(b, a), ">=": not(d.less(a, b)), "<=": not(d.less(b, a)) }[operator];
    return known ?? this.choose();
  }

  /** Where an identifier or a member is kept. */
  target(node, scope) {
    if (node.type === "Identifier") {
      let owner = scope;
      while (owner && !Object.hasOwn(owner, node.name)) owner = Object.getPrototypeOf(owner);
      return place(owner ?? scope, node.name);
    }
    const object = this.value(node.object, scope);
    return place(object, node.computed ? this.value(node.property, scope) : node.property.name);
  }

  value(node, scope) {
    switch (node.type) {
      case "Literal":
        return node.value;
      case "Identifier":
        if (node.name === "undefined") return undefined;
        if (node.name in scope) return scope[node.name];
        if (Object.hasOwn(this.builtins, node.name)) return this.builtins[node.name];
        throw new Unproved(`${this.where(node)}: ${node.name} is not known`);
      case "ArrayExpression":
        return node.elements.map((e) => this.value(e, scope));
      case "ObjectExpression":
        return { opaque: true };
      case "ConditionalExpression":
        return this.value(this.condition(node.test, scope) ? node.consequent : node.alternate, scope);
      case "LogicalExpression": {
        const left = this.value(node.left, scope);
        return (node.operator === "&&") === this.truth(left) ? this.value(node.right, scope) : left;
      }
      case "SequenceExpression":
        return node.expressions.map((e) => this.value(e, scope)).at(-1);
      case "MemberExpression":
        return this.target(node, scope).get();
      case "UnaryExpression":
        return this.unary(node, scope);
      case "BinaryExpression":
        return this.binary(node, node.operator, this.value(node.left, scope), this.value(node.right, scope));
      case "UpdateExpression": {
        const at = this.target(node.argument, scope);
        const old = at.get();
        at.set(this.binary(node, node.operator[0], old, 1));
        return node.prefix ? at.get() : old;
      }
      case "AssignmentExpression": {
        const at = this.target(node.left, scope);
        const right = this.value(node.right, scope);
        return at.set(node.operator === "=" ? right : this.binary(node, node.operator.slice(0, -1), at.get(), right));
      }
      case "CallExpression":
        return this.callExpression(node, scope);
      default:
        throw new Unproved(`${this.where(node)}: ${node.type} is not known`);
    }
  }

  callExpression(node, scope) {
    const args = node.arguments.map((a) => this.value(a, scope));
    if (node.callee.type === "MemberExpression") {
      const object = this.value(node.callee.object, scope);
      const method = node.callee.property.name;
      if (typeof object[method] !== "function") throw new Unproved(`${this.where(node)}: ${method} is not known`);
      this.domain.site = () => this.where(node);
      return object[method](...args);
    }
    const callee = this.value(node.callee, scope);
    if (typeof callee === "function") {
      this.domain.site = () => this.where(node);
      return callee(this, ...args);
    }
    if (!callee?.call) throw new Unproved(`${this.where(node)}: not a function`);
    return this.call(callee.call, args);
  }

  unary(node, scope) {
    if (node.operator === "typeof") {
      if (node.argument.type === "Identifier" && ["Float64Array", "WebAssembly"].includes(node.argument.name)) return "undefined";
      const x = this.value(node.argument, scope);
      if (Array.isArray(x)) return "object";
      return x instanceof Abs ? "number" : (x?.type ?? typeof x);
    }
    const x = this.value(node.argument, scope);
    if (node.operator === "void") return undefined;
    if (node.operator === "!") return !this.truth(x);
    this.domain.site = () => this.where(node);
    if (node.operator === "-") return x instanceof Abs ? this.domain.mul(x, -1) : -x;
    throw new Unproved(`${this.where(node)}: ${node.operator} is not known`);
  }

  binary(node, operator, a, b) {
    const d = this.domain;
    d.site = () => this.where(node);
    const known = !(a instanceof Abs) && !(b instanceof Abs);
    switch (operator) {
      case "===":
      case "!==":
        if (known) return (a === b) === (operator === "===");
        if (typeof a === "undefined" || typeof b === "undefined") return operator !== "===";
        return (d.same(a, b) ?? this.choose()) === (operator === "===");
      case "<":
      case ">":
      case "<=":
      case ">=":
        return known ? { "<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b }[operator] : this.compare(operator, a, b);
    }
    if (known) return concrete(d, operator, a, b);
    switch (operator) {
      case "+":
        return d.add(a, b);
      case "-":
        return d.add(a, b, -1n);
      case "*":
        return d.mul(a, b);
      case "/":
        return d.div(a, b);
      case "%":
        return d.mod(a, b);
      case ">>":
        return d.shift(a, b);
      case "<<":
        return d.word(d.mul(d.word(a), 2 ** b));
      case "&":
        return a instanceof Abs ? d.and(a, b) : d.and(b, a);
      case "^":
        return d.any(0n, fixed(1), 0);
      default:
        throw new Unproved(`${d.site()}: ${operator} is not known`);
    }
  }
}

const not = (x) => (x === undefined ? undefined : !x);

/** Numbers that are known are worked out as every engine does, whether that rounds or not. */
function concrete(d, operator, a, b) {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "%":
      return a % b;
    case ">>":
      return a >> b;
    case "<<":
      return a << b;
    case "&":
      return a & b;
    case "|":
      return a | b;
    case "^":
      return a ^ b;
    default:
      throw new Unproved(`${d.site()}: ${operator} is not known`);
  }
}
