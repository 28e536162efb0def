import { useEffect, useState } from "preact/hooks";

const SOON_MS = 100; // a region that comes with its text already in it is often not read
const LONG_MS = 10_000; // then it would only be in the way of someone who reads line by line

/** Has a screen reader say a text, politely, when it appears or changes. */
export function Spoken({ text }: { text: string }) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    const timers = [setTimeout(() => setSaid(text), SOON_MS), setTimeout(() => setSaid(""), LONG_MS)];
    return () => timers.forEach(clearTimeout);
  }, [text]);
  return (
    <span class="dnb-spoken" role="status">
      {said}
    </span>
  );
}
