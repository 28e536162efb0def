// Finds text that goes round the catalogue: the source is parsed, so that no way of writing it is missed.
import { parseAst } from "vitest/node";

type Node = { type: string; start: number; [key: string]: unknown };

const TRANSLATES = new Set(["t", "rich", "plural"]);
const SPOKEN = new Set(["aria-label", "aria-description", "aria-roledescription", "aria-valuetext", "title", "placeholder", "label", "alt", "message", "remedy", "hint", "caption"]);
const WORD = /\p{L}{2,}/u;
const SENTENCE = /^\p{Lu}\p{Ll}*,? \p{L}+|\p{L}+ \p{L}+ \p{L}+ \p{L}+[^;:]*$/u;
const CODE = /^\{.*\}$|^\w+ (eq|ne|gt|ge|lt|le) /; // metadata and filters, as a person writes them

/** `line: text` of every text in a source that no translation can reach. */
export function hardCoded(source: string): string[] {
  const found: string[] = [];
  const report = (node: Node, text: string) => {
    found.push(`${source.slice(0, node.start).split("\n").length}: ${text.trim()}`);
  };

  const walk = (node: Node, shown: boolean): void => {
    switch (node.type) {
      case "ImportDeclaration":
      case "ExportAllDeclaration":
      case "ThrowStatement": // for programmers
        return;
      case "CallExpression":
        if (TRANSLATES.has(nameOf(node.callee))) {
          // Its values may hold texts again: rich("{code}", { code: <b>…</b> }).
          for (const argument of (node.arguments as Node[]).slice(1)) if (argument.type !== "Literal") walk(argument, false);
          return;
        }
        return children(node).forEach((child) => walk(child, false));
      case "JSXElement":
        if (nameOf((node.openingElement as Node).name) === "code") return; // Python is Python in every language
        return children(node).forEach((child) => walk(child, child.type !== "JSXOpeningElement"));
      case "JSXAttribute":
        return node.value ? walk(node.value as Node, SPOKEN.has(nameOf(node.name))) : undefined;
      case "JSXText":
        return WORD.test(unescaped(node.value as string)) ? report(node, node.value as string) : undefined;
      case "TemplateElement":
      case "Literal": {
        const text = node.type === "Literal" ? node.value : (node.value as { cooked: string }).cooked;
        if (typeof text === "string" && !CODE.test(text) && (shown ? WORD : SENTENCE).test(text)) report(node, text);
        return;
      }
      case "ConditionalExpression":
        walk(node.test as Node, false);
        walk(node.consequent as Node, shown);
        return walk(node.alternate as Node, shown);
      case "BinaryExpression": // "a" + b is shown, a === "b" is not
        return children(node).forEach((child) => walk(child, shown && node.operator === "+"));
      case "LogicalExpression":
      case "TemplateLiteral":
      case "JSXExpressionContainer":
      case "JSXFragment":
        return children(node).forEach((child) => walk(child, shown || node.type === "JSXFragment"));
      default:
        return children(node).forEach((child) => walk(child, false));
    }
  };
  walk(parseAst(source, { lang: "tsx" }) as unknown as Node, false);
  return found;
}

function children(node: Node): Node[] {
  return Object.values(node)
    .flat()
    .filter((value): value is Node => typeof value === "object" && value !== null && "type" in value);
}

const nameOf = (node: unknown): string => (node as { name?: unknown })?.name as string;

const unescaped = (text: string): string => text.replace(/&\w+;/g, " ");
