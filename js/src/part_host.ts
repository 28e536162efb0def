// What `preact` and `preact/hooks` mean inside a part: the widget's own, handed in when the part is loaded.
import type { Host } from "./lib/part";

declare const host: Host;
export const { Fragment, h, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } = host;
