import { expect, it } from "vitest";
import { Requests } from "../src/lib/requests";
import { FakeModel } from "./model";

const make = () => {
  const model = new FakeModel({});
  return { model, requests: new Requests(model.anyModel) };
};

it("a request resolves with the answer of its id", async () => {
  const { model, requests } = make();
  const [first, second] = [requests.call("list"), requests.call("remove", { file: "a" })];
  model.answer("remove", { second: true });
  model.answer("list", { first: true });

  expect(await first).toEqual({ first: true });
  expect(await second).toEqual({ second: true });
  expect(model.requests("remove")[0]!.payload).toEqual({ file: "a" });
});

it("a refusal rejects with what happened and what to do", async () => {
  const { model, requests } = make();
  const asked = requests.call("close");
  model.refuse("close", "It is closed already.", "Refresh.");

  await expect(asked).rejects.toMatchObject({ message: "It is closed already.", remedy: "Refresh." });
});

it("answers nobody asked for are ignored", async () => {
  const { model, requests } = make();
  const asked = requests.call("list");
  model.say({ kind: "response", id: "f".repeat(32), ok: true, result: {} });
  model.say({ kind: "response", id: "f".repeat(32) });
  model.say(null);
  model.answer("list", { mine: 1 });

  expect(await asked).toEqual({ mine: 1 });
});

it("an abort tells the kernel and rejects", async () => {
  const { model, requests } = make();
  const controller = new AbortController();
  const asked = requests.call("list", {}, controller.signal);
  controller.abort();

  await expect(asked).rejects.toThrow("Stopped waiting");
  expect(model.sent.at(-1)!.message).toEqual({ kind: "abort", id: model.requests("list")[0]!.id });
});

it("closing rejects what is under way and leaves no listener", async () => {
  const { model, requests } = make();
  const asked = requests.call("list");
  requests.dispose();

  await expect(asked).rejects.toThrow("closed");
  expect(model.listeners).toBe(0);
});
