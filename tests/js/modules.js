/** What imports what among the modules of the browser client. */
import { readFileSync, readdirSync } from "node:fs";

const FOLDER = new URL("../../js/", import.meta.url);
const STATIC = /^(?:import|export)\b[^;"]*?"(\.[^"]+)";/gm;
const DYNAMIC = /\bimport\("(\.[^"]+)"\)/g;

export const ENTRY = "mirant.js";
/** All modules, by their paths below js/. */
export const MODULES = [ENTRY, ...readdirSync(new URL("mirant/", FOLDER)).filter((name) => name.endsWith(".js")).map((name) => `mirant/${name}`)];

export const source = (module) => readFileSync(new URL(module, FOLDER));

const imported = (module, pattern) =>
  [...source(module).toString().matchAll(pattern)].map(([, path]) => new URL(path, new URL(module, FOLDER)).href.slice(FOLDER.href.length));

/** What a module needs before it runs. */
export const needs = (module) => imported(module, STATIC);

/** What a module loads while it runs. */
export const loads = (module) => imported(module, DYNAMIC);

/** A module and all that it needs, and what these need. */
export function closure(module, found = new Set()) {
  if (!found.has(module)) {
    found.add(module);
    for (const other of needs(module)) closure(other, found);
  }
  return found;
}
