import { describe, expect, it } from "vitest";
import examples from "../../tests/contract/messages.json";
import * as base from "../src/lib/messages";
import * as browsers from "../src/lib/messages_browsers";
import { is, type Shape } from "../src/lib/shape";
import * as upload from "../src/lib/upload_messages";

const messages = { ...base, ...upload, ...browsers };

const shapeOf = (name: string): Shape => (messages as unknown as Record<string, Shape>)[name[0]!.toLowerCase() + name.slice(1)]!;

/** Fields that one side has and the other does not. */
function unlike(shape: Shape, value: unknown, where = ""): string[] {
  if (typeof shape === "string" || Array.isArray(shape) || value === null) return [];
  if ("$list" in shape) return (value as unknown[]).flatMap((item) => unlike((shape as { $list: Shape }).$list, item, where));
  if ("$maybe" in shape) return unlike((shape as { $maybe: Shape }).$maybe, value, where);
  const fields = shape as Record<string, Shape>;
  const given = value as Record<string, unknown>;
  const names = new Set([...Object.keys(fields), ...Object.keys(given)]);
  return [...names].flatMap((name) =>
    name in fields && name in given ? unlike(fields[name]!, given[name], `${where}.${name}`) : [`${where}.${name}`],
  );
}

// What a message holds for its receiver alone is not declared here.
const OPEN = new Set(["payload", "result", "messages", "fields", "orders"]);

describe("the contract with the kernel", () => {
  it.each(Object.keys(examples))("knows %s as the kernel does", (name) => {
    const example = (examples as Record<string, unknown>)[name];
    const shape = shapeOf(name);

    expect(shape).toBeDefined();
    expect(is(shape, example)).toBe(true);
    expect(unlike(shape, example).filter((field) => !OPEN.has(field.split(".")[1]!))).toEqual([]);
  });

  it("refuses what is not of the shape", () => {
    const { JobState, Ack } = examples;
    expect(is(messages.jobState, { ...JobState, kind: "download" })).toBe(true);
    expect(is(messages.jobState, { ...JobState, kind: "sideload" })).toBe(false);
    expect(is(messages.jobState, { ...JobState, status: "finished" })).toBe(false);
    expect(is(messages.jobState, { ...JobState, phases: [{}] })).toBe(false);
    expect(is(messages.jobState, { ...JobState, elapsed_s: "4" })).toBe(false);
    expect(is(messages.ack, { ...Ack, received: null })).toBe(false);
    expect(is(messages.ack, null)).toBe(false);
  });

  it("lets a field through that it does not know", () => {
    expect(is(messages.ack, { ...examples.Ack, more: 1 })).toBe(true);
  });
});
