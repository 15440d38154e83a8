#!/usr/bin/env node
import("../dist/main.js").catch((error) => {
  if (error?.code !== "ERR_MODULE_NOT_FOUND") throw error;
  process.stderr.write("firmseal: is not built yet\nhint: npx -y pnpm@12.4.2 build\n");
  process.exitCode = 3;
});
