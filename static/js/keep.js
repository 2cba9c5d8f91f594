// htmx swaps that touch only what has changed. An element with an id stays as it is, with its focus, its half-written
// note and its open details, while the server sends the same for it; `data-parts` compares its children one by one, and
// `data-keep` stays whatever comes (a canvas that is being painted).

const sent = new WeakMap(); // element → its HTML as the server sent it
const html = (element) => element.outerHTML.replace(/(name="csrfmiddlewaretoken" value=")\w+/g, "$1");

export function remember(root) {
  for (const element of [root, ...root.querySelectorAll("[id]")]) if (!sent.has(element)) sent.set(element, html(element));
}

function patch(old, fresh, added) {
  const known = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  const wanted = [...fresh.childNodes].map((node) => {
    if (node.nodeType !== Node.ELEMENT_NODE) return node;
    const mine = node.id && known.get(node.id);
    if (mine && (mine.hasAttribute("data-keep") || sent.get(mine) === html(node))) return mine;
    if (mine && node.hasAttribute("data-parts")) return patchOne(mine, node, added);
    return bringIn(node, added);
  });
  const staying = new Set(wanted);
  for (const child of [...old.childNodes]) if (!staying.has(child)) child.remove();
  wanted.forEach((node, place) => {
    if (old.childNodes[place] !== node) old.insertBefore(node, old.childNodes[place] ?? null);
  });
}

function patchOne(mine, node, added) {
  const text = html(node);
  for (const { name } of [...mine.attributes]) if (!node.hasAttribute(name)) mine.removeAttribute(name);
  for (const { name, value } of node.attributes) if (mine.getAttribute(name) !== value) mine.setAttribute(name, value);
  patch(mine, node, added);
  sent.set(mine, text);
  return mine;
}

function bringIn(node, added) {
  remember(node);
  added.push(node);
  return node;
}

function focusAgain(before) {
  if (!before || document.activeElement === before) return;
  const again = before.isConnected ? before : before.id && document.getElementById(before.id);
  again?.focus({ preventScroll: true });
}

htmx.defineExtension("keep", {
  isInlineSwap: (style) => style.startsWith("keep"),
  handleSwap(style, target, fragment) {
    if (!style.startsWith("keep")) return false;
    const added = [], before = document.activeElement;
    if (style === "keep-outer") {
      const node = fragment.firstElementChild;
      if (node) patchOne(target, node, added);
      if (!before.isConnected) target.focus({ preventScroll: true });
    } else {
      patch(target, fragment, added);
    }
    focusAgain(before);
    return added.length ? added : true;
  },
});

for (const block of document.querySelectorAll("[hx-ext=keep]")) for (const child of block.children) remember(child);
