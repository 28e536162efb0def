// File names come from anywhere: what a person reads must be what the name is.

// Controls, and the characters that reorder or hide their neighbours ("invoice\u202Efdp.exe").
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const LONGEST = 160;

/** Controls spelled out, and the middle of very long names left out. */
export function visible(text: string, longest = LONGEST): string {
  const characters = Array.from(text.length > longest * 4 ? text.slice(0, longest * 2) + text.slice(-longest * 2) : text);
  const half = Math.floor((longest - 1) / 2);
  const short = characters.length > longest ? [...characters.slice(0, half), "…", ...characters.slice(-half)] : characters;
  return short.join("").replace(HIDDEN, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
