/** The types that are kept by hand, against those that the code's comments have. Needs Debian's node-typescript. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { source } from "./support.mjs";

test("the types are those of the code", () => {
  const folder = mkdtempSync(join(tmpdir(), "types-"));
  try {
    for (const name of ["written", "promised"]) mkdirSync(join(folder, name));
    copyFileSync(source, join(folder, "written", "signaling.js"));
    copyFileSync(new URL("signaling.d.ts", source), join(folder, "promised", "signaling.d.ts"));
    copyFileSync(new URL("types.ts", import.meta.url), join(folder, "types.ts"));
    const options = "--noEmit --allowJs --checkJs --strict --target es2022 --module es2022 --moduleResolution node";
    const libraries = ["--lib", "es2022,dom,dom.iterable", "types.ts"];
    const result = spawnSync("tsc", [...options.split(" "), ...libraries], { cwd: folder, encoding: "utf8" });
    assert.equal(result.error, undefined, "tsc is missing; install it with: apt-get install node-typescript");
    assert.equal(result.stdout, "");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
