import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

/** Whether somebody can see the element: on the screen, in a page that is not hidden. */
export function useInSight(element: RefObject<HTMLElement | null>): boolean {
  const [near, setNear] = useState(true);
  const [shown, setShown] = useState(!document.hidden);
  useEffect(() => {
    const turned = () => setShown(!document.hidden);
    document.addEventListener("visibilitychange", turned);
    const observer = new IntersectionObserver((entries) => setNear(entries.at(-1)!.isIntersecting));
    if (element.current) observer.observe(element.current);
    return () => {
      document.removeEventListener("visibilitychange", turned);
      observer.disconnect();
    };
  }, []);
  return near && shown;
}
