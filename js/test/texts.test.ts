// @vitest-environment node
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { hardCoded } from "./hard_coded";

const SRC = join(import.meta.dirname, "..", "src");
const SOURCES = readdirSync(SRC, { recursive: true, encoding: "utf-8" }).filter((name) => /\.tsx?$/.test(name));

it.each([
  ["text between tags", "<p>Drop files here</p>"],
  ["text beside an element", "<p><b>{count}</b> files</p>"],
  ["a spoken attribute", '<button aria-label="Close" />'],
  ["a title by condition", '<i title={busy ? "Working" : t("Ready")} />'],
  ["a child by condition", '<p>{busy && "Please wait"}</p>'],
  ["a joined text", '<p>{"Sent " + count}</p>'],
  ["a template", "<p>{`${count} files`}</p>"],
  ["a fragment's child", "<>Loading</>"],
  ["a value of a sentence", 'rich("{what} came", { what: <b>Nothing</b> })'],
  ["a sentence in an object", '({ message: "The kernel is gone." })'],
  ["a property of a component", '<Notice tone="fail" message="Gone" />'],
])("the search finds %s", (_, source) => {
  expect(hardCoded(`const bad = ${source};`)).toHaveLength(1);
});

it.each([
  ['<p class="dnb-muted" role="status">{t("Ready")}</p>'],
  ["<p>{rich('{code} has all', { code: <code>job.receipt</code> })}</p>"],
  ['<Icon name={done ? "ok" : "fail"} />'],
  ['<b>{state === "done" ? t("done") : "…"} · {count}</b>'],
  ["`dnb-bar ${tone} dnb-wide`"],
  ['requests.send("cancel")'],
  [`<textarea placeholder={'{"topic": "news"}'} title="topic eq 'news'" />`],
])("the search lets pass %s", (source) => {
  expect(hardCoded(`const good = ${source};`)).toEqual([]);
});

it("no text of a widget goes round the catalogue", () => {
  expect(SOURCES.length).toBeGreaterThan(20);

  const found = SOURCES.flatMap((name) => hardCoded(readFileSync(join(SRC, name), "utf-8")).map((text) => `${name}:${text}`));

  expect(found).toEqual([]);
});
