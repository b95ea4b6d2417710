import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { ENTRY, closure, source } from "./modules.js";

test("what a plain page loads is at most 12 KiB, each module gzipped on its own, comments and all", () => {
  const sizes = [...closure(ENTRY)].map((module) => gzipSync(source(module), { level: 9 }).length);
  const sum = sizes.reduce((one, other) => one + other, 0);
  assert.ok(sizes.length > 1);
  assert.ok(sum <= 12_288, `${sum} bytes: ${sizes}`);
});
