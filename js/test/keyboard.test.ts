import { afterEach, beforeEach, expect, it } from "vitest";
import { keepKeyboard } from "../src/lib/keyboard";

let root: HTMLElement;
let undo: () => void;

const button = (name: string) => root.querySelector<HTMLElement>(`#${name}`)!;
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
const press = (target: HTMLElement, changes: KeyboardEventInit = {}) =>
  target.dispatchEvent(new KeyboardEvent("keydown", { key: "d", bubbles: true, ...changes }));

beforeEach(() => {
  root = document.createElement("div");
  root.innerHTML = "<button id=a></button><p><button id=b></button></p><button id=c></button>";
  document.body.append(root);
  undo = keepKeyboard(root);
});
afterEach(() => {
  undo();
  root.remove();
});

it("a control that goes away hands the focus to the next one", async () => {
  button("b").focus();
  root.querySelector("p")!.remove();
  await turn();

  expect(document.activeElement).toBe(button("c"));
});

it("where nothing of the old is left, the first control has it", async () => {
  button("c").focus();
  root.innerHTML = "<button id=new></button>";
  await turn();

  expect(document.activeElement).toBe(button("new"));
});

it("nothing takes the focus that a person has put elsewhere", async () => {
  const elsewhere = document.body.appendChild(document.createElement("button"));
  for (const leave of [() => elsewhere.focus(), () => button("b").blur()]) {
    button("b").focus();
    leave();
    await turn();
    root.append(document.createElement("i"));
    button("a").replaceWith(Object.assign(document.createElement("button"), { id: "a" }));
    await turn();
    expect(root.contains(document.activeElement)).toBe(false);
  }
  elsewhere.remove();
});

it("plain keys are the widget's, and those with a modifier the notebook's", () => {
  press(button("a"));
  expect(button("a").hasAttribute("data-lm-suppress-shortcuts")).toBe(true);
  press(button("a"), { ctrlKey: true });
  expect(button("a").hasAttribute("data-lm-suppress-shortcuts")).toBe(false);
  press(document.body);
  expect(document.body.hasAttribute("data-lm-suppress-shortcuts")).toBe(false);
});

it("is over after the clean-up", () => {
  undo();
  press(button("a"));

  expect(button("a").hasAttribute("data-lm-suppress-shortcuts")).toBe(false);
});
