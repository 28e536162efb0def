// One ES module and one stylesheet per widget, minified, into the Python package.
// A bundle travels with every widget instance and into every saved notebook, so its size is a limit, not a hope.
import { context, build } from "esbuild";
import { mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const STATIC = join(HERE, "..", "deepset_nb", "static");
const WIDGETS = ["job_panel", "uploader", "session_browser"];
const LIMIT_BYTES = 40_000;

const options = {
  absWorkingDir: HERE,
  entryPoints: WIDGETS.map((name) => `src/${name}.tsx`),
  outdir: STATIC,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  jsx: "transform",
  jsxFactory: "h",
  jsxFragment: "Fragment",
  inject: ["src/lib/jsx.ts"],
  tsconfigRaw: {}, // tsconfig.json describes the type check and the tests
  legalComments: "none",
  logLevel: "warning",
};

mkdirSync(STATIC, { recursive: true });

if (process.argv.includes("--watch")) {
  await (await context({ ...options, logLevel: "info" })).watch();
} else {
  await build(options);
  for (const name of WIDGETS) {
    for (const kind of ["js", "css"]) {
      const bytes = statSync(join(STATIC, `${name}.${kind}`)).size;
      console.log(`${name}.${kind}: ${bytes} bytes`);
      if (bytes > LIMIT_BYTES) {
        console.error(`${name}.${kind} is over the limit of ${LIMIT_BYTES} bytes.`);
        process.exitCode = 1;
      }
    }
  }
}
