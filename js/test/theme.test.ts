import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { brightness, followTheme, themeOf } from "../src/lib/theme";

afterEach(() => {
  document.body.removeAttribute("style");
  document.body.className = "";
  for (const key of Object.keys(document.body.dataset)) delete document.body.dataset[key];
});

const paint = (colour: string) => {
  document.body.style.backgroundColor = colour;
};

it.each([
  ["rgb(255, 255, 255)", "light"],
  ["rgb(17, 17, 17)", "dark"],
  ["rgba(0, 0, 0, 0)", "light"], // nothing is painted: the reader's preference
])("on a page of %s the theme is %s", (colour, theme) => {
  paint(colour);
  expect(themeOf(document.body)).toBe(theme);
});

it.each([
  ["rgb(255, 255, 255)", 1, 1],
  ["rgba(0, 0, 0, 0)", 0, 0],
  ["oklch(0.99 0.002 240)", 1, 1],
  ["oklch(0.21 0.01 240 / 0.9)", 0.1, 0.9],
  ["lab(98 0 -2e-5)", 1, 1],
  ["lab(12 0 0)", 0.1, 1],
  ["color(display-p3 1 1 1)", 1, 1],
  ["color(srgb 0.1 0.1 0.1 / 0.5)", 0.1, 0.5],
  ["", 0, 0],
])("%s is read in its own notation", (colour, light, alpha) => {
  expect(brightness(colour).light).toBeCloseTo(light, 1);
  expect(brightness(colour).alpha).toBe(alpha);
});

it("looks out of a shadow root", () => {
  paint("rgb(17, 17, 17)");
  const host = document.createElement("div");
  document.body.append(host);
  const inner = document.createElement("div");
  host.attachShadow({ mode: "open" }).append(inner);

  expect(themeOf(inner)).toBe("dark");
  host.remove();
});

it("follows a switch, and stops when told to", async () => {
  const root = document.createElement("div");
  document.body.append(root);
  paint("rgb(255, 255, 255)");
  const stop = followTheme(root);
  expect(root.dataset.theme).toBe("light");
  paint("rgb(17, 17, 17)");
  document.body.className = "dark";
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(root.dataset.theme).toBe("dark");

  stop();
  paint("rgb(255, 255, 255)");
  document.body.className = "";
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(root.dataset.theme).toBe("dark");
  root.remove();
});

it("colours stand in tokens.css and nowhere else", () => {
  const source = join(__dirname, "..", "src");
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((name) => /\.(css|tsx?)$/.test(name));
  const colour = /#[0-9a-f]{3,8}\b(?!\w)|\b(?:rgba?|hsla?|oklch)\(/i;
  const guilty = files.filter((name) => !name.endsWith("tokens.css")).filter((name) =>
    readFileSync(join(source, name), "utf8")
      .split("\n")
      .some((line) => colour.test(line.replace(/this\.#\w+|#\w+\(|\.#\w+|readonly #\w+|get #\w+/g, ""))),
  );

  expect(colour.test("color: #fff")).toBe(true);
  expect(files.length).toBeGreaterThan(20);
  expect(guilty).toEqual([]);
});

it("a class has one stylesheet: the widgets of a page share them all", () => {
  const homes = new Map<string, string[]>();
  for (const name of ["base", "grid", "job", "uploader"]) {
    const source = readFileSync(join(__dirname, "..", "src", "styles", `${name}.css`), "utf8");
    for (const [, found = ""] of source.matchAll(/^  \.(dnb-[\w-]+)(?= \{|,)/gm)) homes.set(found, [...(homes.get(found) ?? []), name]);
  }

  expect(homes.size).toBeGreaterThan(50);
  expect([...homes].filter(([, names]) => new Set(names).size > 1)).toEqual([]);
});

it("server text never enters the page as HTML", () => {
  const source = join(__dirname, "..", "src");
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((name) => /\.tsx?$/.test(name));

  expect(files.filter((name) => /innerHTML|insertAdjacentHTML|dangerouslySet/.test(readFileSync(join(source, name), "utf8")))).toEqual([]);
});
