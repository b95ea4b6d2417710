import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

test("the module is less than 12 KiB gzipped, comments and all", () => {
  const module = readFileSync(new URL("../../js/mirant.js", import.meta.url));
  assert.ok(gzipSync(module, { level: 9 }).length < 12_288);
});
