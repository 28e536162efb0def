// Shapes of values that come over the wire, as plain data: one declaration is both the type and its check.
//
//     "string" "number" "boolean"   with a question mark: or null
//     ["a", "b"]                    one of these words or truth values
//     { field: shape }              an object; other fields may be there too
//     { $list: shape }              many of it
//     { $maybe: shape }             it, or null

type Word = "string" | "number" | "boolean" | "string?" | "number?";
export type Shape = Word | readonly (string | boolean)[] | { readonly [field: string]: Shape } | List | Maybe;
type List<S = any> = { readonly $list: S };
type Maybe<S = any> = { readonly $maybe: S };

export type Of<S> = S extends "string"
  ? string
  : S extends "number"
    ? number
    : S extends "boolean"
      ? boolean
      : S extends "string?"
        ? string | null
        : S extends "number?"
          ? number | null
          : S extends readonly (infer V)[]
            ? V
            : S extends { readonly $list: infer I }
              ? Of<I>[]
              : S extends { readonly $maybe: infer I }
                ? Of<I> | null
                : { -readonly [K in keyof S]: Of<S[K]> };

/** Whether `value` has this shape. Fields it does not name are let through: a page may be older than the kernel. */
export function is<const S extends Shape>(shape: S, value: unknown): value is Of<S> {
  return fits(shape, value);
}

function fits(shape: Shape, value: unknown): boolean {
  if (typeof shape === "string") return typeof value === shape.replace("?", "") || (shape.endsWith("?") && value === null);
  if (Array.isArray(shape)) return shape.includes(value);
  if ("$list" in shape) return Array.isArray(value) && value.every((item) => fits(shape.$list, item));
  if ("$maybe" in shape) return value === null || fits(shape.$maybe, value);
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(shape).every(([field, inner]) => fits(inner, (value as Record<string, unknown>)[field]));
}
