// One ES module and one stylesheet per widget, minified, into the Python package; parts/ are fetched when needed.
// A bundle travels with every widget instance and into every saved notebook, so its size is a limit, not a hope.
import { context, build } from "esbuild";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, parse } from "node:path";
import { fileURLToPath } from "node:url";
import { minify } from "terser";

const HERE = dirname(fileURLToPath(import.meta.url));
const STATIC = join(HERE, "..", "deepset_nb", "static");
const WIDGETS = ["job_panel", "uploader", "session_browser", "file_browser"];
const LIMIT_BYTES = 40_000;

const PARTS = readdirSync(join(HERE, "src", "parts")).map((file) => parse(file).name);

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

// Chromium then compiles all of a script at once, beside what the page does, not each function when it is first called.
const AT_ONCE = "//# allFunctionsCalledOnLoad\n";

/** What esbuild leaves over: 600 bytes of each widget, and the whole of a page's widgets pays them. */
async function squeeze(path, head = "") {
  const { code } = await minify(readFileSync(path, "utf8"), { module: true, ecma: 2020, compress: { passes: 3, ecma: 2020, keep_fargs: false, unsafe_arrows: true }, mangle: true });
  writeFileSync(path, head + code);
}

mkdirSync(join(STATIC, "parts"), { recursive: true });

if (process.argv.includes("--watch")) {
  for (const one of [widgets, parts]) await (await context({ ...one, logLevel: "info" })).watch();
} else {
  await Promise.all([build(widgets), build(parts)]);
  const bundles = WIDGETS.map((name) => `${name}.js`);
  const fetched = PARTS.map((name) => `parts/${name}.js`);
  await Promise.all([...bundles.map((name) => squeeze(join(STATIC, name), AT_ONCE)), ...fetched.map((name) => squeeze(join(STATIC, name)))]);
  for (const name of [...bundles, ...fetched, ...WIDGETS.map((name) => `${name}.css`)]) {
    const bytes = statSync(join(STATIC, name)).size;
    console.log(`${name}: ${bytes} bytes`);
    if (bytes > LIMIT_BYTES) {
      console.error(`${name} is over the limit of ${LIMIT_BYTES} bytes.`);
      process.exitCode = 1;
    }
  }
}
