import { expect, it } from "vitest";
import { ROW_PX, window_ } from "../src/lib/window";

const VIEW = 12 * ROW_PX;

it("draws what is in sight and a few rows around", () => {
  const shown = window_(100_000, VIEW, 50_000 * ROW_PX);

  expect(shown.inSight).toEqual([50_000, 50_011]);
  expect([shown.first, shown.last]).toEqual([49_994, 50_018]);
  expect(shown.height).toBe(100_000 * ROW_PX);
});

it("stays within the table at both ends", () => {
  expect(window_(5, VIEW, 0)).toMatchObject({ first: 0, last: 4, inSight: [0, 4] });
  expect(window_(100, VIEW, 88 * ROW_PX)).toMatchObject({ last: 99, inSight: [88, 99] });
  expect(window_(0, ROW_PX, 0)).toMatchObject({ first: 0, last: -1 });
});

it("moves the scroll bar as little as it must to show a row", () => {
  const shown = window_(1000, VIEW, 100 * ROW_PX);

  expect(shown.reveal(105, 100 * ROW_PX)).toBe(100 * ROW_PX);
  expect(shown.reveal(99, 100 * ROW_PX)).toBe(99 * ROW_PX);
  expect(shown.reveal(112, 100 * ROW_PX)).toBe(101 * ROW_PX);
});

it("redraws only when another row comes into sight", () => {
  const shown = window_(1000, VIEW, 100 * ROW_PX);

  expect(shown.differs(100 * ROW_PX + 10)).toBe(false);
  expect(shown.differs(101 * ROW_PX)).toBe(true);
});

it.each([0, 0.5, 1])("reaches every row of more than a browser can lay out: %s", (share) => {
  const extent = 10_000_000;
  const { height } = window_(extent, VIEW, 0);
  expect(height).toBeLessThan(17_000_000);
  const top = share * (height - VIEW);
  const shown = window_(extent, VIEW, top);
  const wanted = Math.floor(share * (extent - 12));

  expect(Math.abs(shown.inSight[0] - wanted)).toBeLessThanOrEqual(1);
  const at = shown.inSight[0] * ROW_PX + shown.shift; // where its first row is drawn
  expect(Math.abs(at - top)).toBeLessThan(ROW_PX);
  const [first, last] = window_(extent, VIEW, shown.reveal(7_654_321, top)).inSight;
  expect(first <= 7_654_321 && 7_654_321 <= last).toBe(true);
});
