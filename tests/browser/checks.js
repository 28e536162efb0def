// What checks.py asks of a widget in the page. Each function gets the widget's element and returns sentences about
// what is wrong, none where all is well.
(() => {
  const CONTROLS =
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]:not([tabindex='-1']), " +
    "[role=button], [role=tab], [role=checkbox], [role=option], [role=menuitem]";
  const NATIVE = "a[href], button, input, select, textarea, summary, label, option, details, dialog";
  const COMPOSITES = "[role=grid], [role=treegrid], [role=listbox], [role=tree], [role=tablist]";
  const TARGET = 24; // css px, WCAG 2.5.8
  const ENOUGH = 3; // contrast of what is no text, WCAG 1.4.11

  const LOOKS =
    "display position top width minWidth maxWidth minHeight maxHeight marginTop marginBottom marginLeft marginRight paddingTop paddingBottom paddingLeft paddingRight borderTopWidth borderBottomWidth borderLeftWidth borderTopColor borderRadius color backgroundColor fontSize fontWeight fontFamily lineHeight textAlign verticalAlign whiteSpace overflowX overflowWrap opacity gridTemplateColumns rowGap columnGap alignItems justifyContent flexGrow flexBasis content boxShadow animationName".split(" ");

  const isShown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && element.getClientRects().length > 0;
  const isSpokenOnly = (element) => !!element.closest(".dnb-spoken");
  const controlsOf = (root) => [...root.querySelectorAll(CONTROLS)].filter((one) => isShown(one) && !isSpokenOnly(one));
  const nameOf = (element) =>
    (element.getAttribute("aria-label") || element.labels?.[0]?.innerText || element.innerText || element.title || element.className || element.tagName).trim().slice(0, 60);
  const said = (element) => `${element.tagName.toLowerCase()} "${nameOf(element)}"`;

  // --- colours: a canvas understands every notation, and mixes what is transparent

  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const mixed = (...layers) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const layer of layers) {
      canvas.fillStyle = layer;
      canvas.fillRect(0, 0, 1, 1);
    }
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const behind = (element) => {
    const layers = ["Canvas"];
    const found = [];
    for (let node = element; node; node = node.parentElement) found.push(getComputedStyle(node).backgroundColor);
    return layers.concat(found.reverse());
  };
  const luminance = ([red, green, blue]) => {
    const [r, g, b] = [red, green, blue].map((value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const against = (colour, element) => contrast(mixed(...behind(element), colour), mixed(...behind(element)));
  const shown = (ratio) => `${ratio.toFixed(1)}:1`;

  // --- the checks

  async function axeFaults(root) {
    const { violations } = await axe.run(root);
    return violations.flatMap((fault) => fault.nodes.map((node) => `${fault.id}: ${node.html.slice(0, 160)}`));
  }

  /** Things to click or reach that are smaller than a finger needs. A control's label counts, a link in a sentence need not. */
  function smallTargets(root) {
    return controlsOf(root)
      .filter((one) => !(one.matches("a[href]") && getComputedStyle(one).display === "inline" && one.parentElement.innerText.trim() !== one.innerText.trim()))
      .flatMap((one) => {
        const { width, height } = ((one.matches("input") && one.closest("label")) || one).getBoundingClientRect();
        const small = Math.min(width, height) < TARGET - 0.01;
        return small ? [`${said(one)} is ${width.toFixed(1)} × ${height.toFixed(1)} px`] : [];
      });
  }

  /** Elements that take clicks (found by the browser's own list of listeners) and no keys. */
  function deafToKeys(root, clickable) {
    return clickable
      .filter((one) => root.contains(one) && one !== root && isShown(one))
      .filter((one) => !one.matches(NATIVE) && !one.hasAttribute("tabindex"))
      .filter((one) => !one.closest(COMPOSITES) && !one.querySelector(COMPOSITES))
      .map((one) => `${said(one)} takes clicks only`);
  }

  const RING = ["outlineStyle", "outlineWidth", "outlineColor", "boxShadow"];

  /** What has no visible ring while it has the focus. Expects that the last input was a key, so that :focus-visible applies. */
  function hiddenFocus(root) {
    const before = document.createElement("button"); // elsewhere, to come from
    document.body.append(before);
    const found = controlsOf(root)
      .filter((one) => one.tabIndex >= 0 && !one.disabled)
      .flatMap((one) => {
        before.focus({ preventScroll: true });
        const plain = RING.map((name) => getComputedStyle(one)[name]).join();
        one.focus({ preventScroll: true });
        if (document.activeElement !== one) return [`${said(one)} does not take the focus`];
        if (!one.matches(":focus-visible")) return [`${said(one)} is not told that a key moved the focus`];
        const style = getComputedStyle(one);
        if (RING.map((name) => style[name]).join() === plain) return [`${said(one)} looks the same with and without the focus`];
        if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) return [`${said(one)} has a focus ring of ${style.outlineWidth} ${style.outlineStyle}`];
        const outside = parseFloat(style.outlineOffset) >= 0 ? one.parentElement : one;
        const ratio = against(style.outlineColor, outside);
        return ratio < ENOUGH ? [`${said(one)} has a focus ring of ${shown(ratio)}`] : [...cutOff(one, root)];
      });
    before.remove();
    return found;
  }

  /** A ring that an ancestor cuts off is no ring. */
  function* cutOff(one, root) {
    one.scrollIntoView({ block: "nearest", inline: "nearest" });
    const style = getComputedStyle(one);
    const reach = parseFloat(style.outlineOffset) + parseFloat(style.outlineWidth) - 1;
    const box = one.getBoundingClientRect();
    for (let node = one.parentElement; node && root.contains(node); node = node.parentElement) {
      if (getComputedStyle(node).overflow === "visible") continue;
      const clip = node.getBoundingClientRect();
      const beyond = { left: clip.left - box.left + reach, right: box.right + reach - clip.right, top: clip.top - box.top + reach, bottom: box.bottom + reach - clip.bottom };
      if (box.width > clip.width) beyond.left = beyond.right = 0; // a row that is scrolled to its other end
      const sides = Object.keys(beyond).filter((side) => beyond[side] > 0.5);
      if (sides.length) yield `${said(one)} has a focus ring cut off at the ${sides.join(" and ")} by ${node.className}`;
      return;
    }
  }

  /** Borders that frame something and cannot be told from what is behind them. */
  function faintBorders(root) {
    return [...root.querySelectorAll("*")].filter((one) => isShown(one) && !isSpokenOnly(one)).flatMap((one) => {
      const style = getComputedStyle(one);
      const sides = ["Top", "Right", "Bottom", "Left"].filter((side) => parseFloat(style[`border${side}Width`]) > 0 && style[`border${side}Style`] !== "none");
      if (!sides.length || !one.matches("button, input, select, textarea, progress, .dnb-card, .dnb-drop")) return [];
      const ratio = Math.min(...sides.map((side) => against(style[`border${side}Color`], one.parentElement)));
      return ratio < ENOUGH ? [`${said(one)} has a border of ${shown(ratio)}`] : [];
    });
  }

  /** Of a bar's picture (a PNG as base64), the contrast between its beginning and its end. */
  async function barContrast(png) {
    const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
    const picture = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    picture.drawImage(bitmap, 0, 0);
    const at = (x) => [...picture.getImageData(x, Math.floor(bitmap.height / 2), 1, 1).data];
    return contrast(at(4), at(bitmap.width - 5));
  }

  const moving = (root) => root.getAnimations({ subtree: true }).filter(({ playState }) => playState === "running").map(({ animationName }) => animationName ?? "transition");

  /** What reaches beyond the widget's own edges, and is not in a box that scrolls. */
  function stickingOut(root) {
    const { left, right } = root.getBoundingClientRect();
    const scrolls = (one) => {
      for (let node = one.parentElement; node && node !== root; node = node.parentElement) if (getComputedStyle(node).overflowX !== "visible") return true;
      return false;
    };
    return [...root.querySelectorAll("*")].filter((one) => isShown(one) && !isSpokenOnly(one) && !scrolls(one)).flatMap((one) => {
      const box = one.getBoundingClientRect();
      return box.left < left - 1 || box.right > right + 1 ? [`${said(one)} reaches ${Math.max(left - box.left, box.right - right).toFixed()} px beyond the edge`] : [];
    });
  }

  /** Cells that do not stand under their heads. */
  function askew(root) {
    return [...root.querySelectorAll("[role=grid]")].flatMap((grid) => {
      const [heads, row] = grid.querySelectorAll("[role=row]");
      const left = (one) => one.getBoundingClientRect().left;
      return row ? [...heads.children].filter((head, at) => Math.abs(left(head) - left(row.children[at])) > 1).map((head) => `${said(head)} is not over its column`) : [];
    });
  }

  // --- what a screen reader would hear

  const LIVE = "[role=status], [role=alert], [role=log], [aria-live]";

  function listen() {
    const heard = { said: [], loud: [], changes: 0 };
    const hear = (node) => {
      const region = (node instanceof Element ? node : node.parentElement)?.closest(LIVE);
      if (!region?.closest(".dnb")) return void (heard.changes += 1);
      const text = region.textContent.trim();
      if (!text || heard.said.at(-1) === text) return;
      heard.said.push(text);
      if (region.matches("[role=alert], [aria-live=assertive]")) heard.loud.push(text);
    };
    new MutationObserver((records) => {
      for (const { target, addedNodes } of records) {
        if (!(target instanceof Element ? target : target.parentElement)?.closest(".dnb")) continue;
        hear(target);
        for (const node of addedNodes) if (node instanceof Element) for (const region of [node, ...node.querySelectorAll("*")]) if (region.matches(LIVE)) hear(region);
      }
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
    window.dnbHeard = heard;
  }

  const focused = (root) => (root.contains(document.activeElement) ? nameOf(document.activeElement) : null);

  /** What looks otherwise once another widget's styles have come, too. One element of each kind is looked at. */
  function changedBy(root, sheets) {
    const kind = (one) => `${one.tagName.toLowerCase()}.${one.getAttribute("class") ?? ""}`;
    const kinds = new Map([...root.querySelectorAll("*")].map((one) => [`${kind(one.parentElement)} > ${kind(one)}`, one]));
    const looks = () =>
      [...kinds].flatMap(([name, one]) =>
        ["", "::before"].flatMap((pseudo) => {
          const style = getComputedStyle(one, pseudo);
          return LOOKS.map((key) => [`${name}${pseudo} ${key}`, style[key]]);
        }),
      );
    const before = looks();
    return sheets.flatMap((css) => {
      const sheet = document.head.appendChild(document.createElement("style"));
      sheet.textContent = css;
      const after = looks();
      sheet.remove();
      return before.flatMap(([what, was], at) => (was === after[at][1] ? [] : [`${what}: ${was}, then ${after[at][1]}`]));
    });
  }

  window.dnbChecks = { axeFaults, smallTargets, deafToKeys, hiddenFocus, faintBorders, barContrast, moving, stickingOut, askew, changedBy, listen, focused };
})();
