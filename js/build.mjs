// One ES module and one stylesheet per widget, minified, into the Python package; parts/ are fetched when needed.
// A bundle travels with every widget instance and into every saved notebook, so its size is a limit, not a hope.
import { context, build } from "esbuild";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join, parse } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const STATIC = join(HERE, "..", "deepset_nb", "static");
const WIDGETS = ["job_panel", "uploader", "session_browser", "file_browser"];
const LIMIT_BYTES = 41_000;

const PARTS_DIR = join(HERE, "src", "parts");
const PARTS = (existsSync(PARTS_DIR) ? readdirSync(PARTS_DIR) : []).map((file) => parse(file).name);

const common = {
  absWorkingDir: HERE,
  bundle: true,
  target: "es2022",
  minify: true,
  charset: "utf8",
  jsx: "transform",
  jsxFactory: "h",
  jsxFragment: "Fragment",
  inject: ["src/lib/jsx.ts"],
  tsconfigRaw: {}, // tsconfig.json describes the type check and the tests
  legalComments: "none",
  logLevel: "warning",
};

const widgets = { ...common, entryPoints: WIDGETS.map((name) => `src/${name}.tsx`), outdir: STATIC, format: "esm" };

// A part is a function of its widget's Preact: `host` in part_host.ts is its parameter.
const parts = {
  ...common,
  entryPoints: PARTS.map((name) => `src/parts/${name}.tsx`),
  outdir: join(STATIC, "parts"),
  format: "iife",
  globalName: "part",
  banner: { js: "export default (host) => {" },
  footer: { js: "return part; };" },
  alias: { preact: "./src/part_host.ts", "preact/hooks": "./src/part_host.ts" },
};

mkdirSync(join(STATIC, "parts"), { recursive: true });

if (process.argv.includes("--watch")) {
  for (const one of [widgets, parts]) await (await context({ ...one, logLevel: "info" })).watch();
} else {
  await Promise.all([build(widgets), ...(PARTS.length ? [build(parts)] : [])]);
  const built = [...WIDGETS.flatMap((name) => [`${name}.js`, `${name}.css`]), ...PARTS.map((name) => `parts/${name}.js`)];
  for (const name of built) {
    const bytes = statSync(join(STATIC, name)).size;
    console.log(`${name}: ${bytes} bytes`);
    if (bytes > LIMIT_BYTES) {
      console.error(`${name} is over the limit of ${LIMIT_BYTES} bytes.`);
      process.exitCode = 1;
    }
  }
}
