import assert from "node:assert/strict";
import { test } from "node:test";

import { ENTRY, MODULES, closure, loads, needs, source } from "./modules.js";

/** The first circle that is reached from a module, or undefined. */
function circle(module, path = []) {
  if (path.includes(module)) return [...path.slice(path.indexOf(module)), module];
  for (const other of [...needs(module), ...loads(module)]) {
    const found = circle(other, [...path, module]);
    if (found) return found;
  }
  return undefined;
}

test("no module needs itself, be it through others or when it is loaded later", () => {
  for (const module of MODULES) assert.equal(circle(module)?.join(" → "), undefined);
});

test("every module is reached from mirant.js, and imports only modules", () => {
  const reached = new Set(closure(ENTRY));
  for (const module of reached) for (const other of loads(module)) closure(other, reached);
  assert.deepEqual([...reached].sort(), [...MODULES].sort());
});

test("a plain page loads neither shared windows nor reload, and no transport but websocket", () => {
  const plain = closure(ENTRY);
  for (const name of ["windows", "reload", "long-polling", "callback-polling"]) assert.ok(!plain.has(`mirant/${name}.js`), name);
});

test("imports are written so that the tests above see them", () => {
  for (const module of MODULES) {
    const text = source(module).toString();
    // A second try under another address is no further import.
    const code = text.replace(/import\(`(\.\/[\w-]+\.js)\?[^`]*`\)/g, (all, name) => (text.includes(`import("${name}")`) ? "" : all));
    const all = code.match(/\bimport\s*[({"]|\bfrom\s+"/g)?.filter((word) => word !== "import {").length ?? 0;
    assert.equal(all, needs(module).length + loads(module).length, module);
  }
});

test("a module has 300 lines at most", () => {
  for (const module of MODULES) assert.ok(source(module).toString().split("\n").length <= 300, module);
});
