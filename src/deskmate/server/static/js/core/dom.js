// Screens, core: builds the page from plain data and patches it in place, so that focus, selection and typed text survive.

/**
 * A description of a node: an element (`tag`), a text (`text`) or a remembered part (`deps` and `build`).
 * @typedef {{tag?: string, key?: string, props?: Record<string, any>, children?: VNode[], text?: string,
 *   deps?: unknown[], build?: () => VNode, inner?: VNode, el?: any}} VNode
 * @typedef {VNode | string | number | null | undefined | false | any[]} Child
 */

const SVG = "http://www.w3.org/2000/svg";
/** These live on the element, not in its attributes: people change them too, so they are compared with what is there. */
const PROPERTIES = new Set(["value", "checked", "selected"]);

/**
 * Describe one element. Strings among the children become text nodes, always.
 * @param {string} tag
 * @param {Record<string, any> | null} [props] `key`, `ref(el)`, `vars` (custom properties), `onclick` and the like, or attributes
 * @param {...Child} children
 * @returns {VNode}
 */
export function h(tag, props, ...children) {
  return { tag, key: props?.key, props: props ?? {}, children: flatten(children, []) };
}

/**
 * A part that is built again only when one of `deps` changed.
 * @param {string} key
 * @param {unknown[]} deps
 * @param {() => VNode} build
 * @returns {VNode}
 */
export function memo(key, deps, build) {
  return { key, deps, build };
}

/** @param {Child[]} list @param {VNode[]} into @returns {VNode[]} */
function flatten(list, into) {
  for (const child of list) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) flatten(child, into);
    else if (typeof child === "object") into.push(child);
    else into.push({ text: String(child) });
  }
  return into;
}

/**
 * Make the children of `container` look as described.
 * @param {HTMLElement & {_children?: VNode[]}} container
 * @param {...Child} children
 */
export function render(container, ...children) {
  const active = /** @type {HTMLElement | null} */ (document.activeElement);
  const next = flatten(children, []);
  patchChildren(container, container._children ?? [], next, false);
  container._children = next;
  if (active && active !== document.activeElement && active.isConnected) active.focus({ preventScroll: true });
}

/** @param {VNode} node @param {boolean} svg @returns {Node} */
function mount(node, svg) {
  if (node.build) {
    node.inner = node.build();
    node.el = mount(node.inner, svg);
    return node.el;
  }
  if (node.tag === undefined) {
    node.el = document.createTextNode(node.text ?? "");
    return node.el;
  }
  const inSvg = svg || node.tag === "svg";
  const el = inSvg ? document.createElementNS(SVG, node.tag) : document.createElement(node.tag);
  node.el = el;
  const children = node.children ?? [];
  for (const child of children) el.append(mount(child, inSvg));
  setProps(el, {}, node.props ?? {});
  node.props?.ref?.(el);
  return el;
}

/** @param {VNode} old @param {VNode} node @param {boolean} svg */
function patch(old, node, svg) {
  node.el = old.el;
  if (node.build) {
    if (sameDeps(old.deps ?? [], node.deps ?? [])) {
      node.inner = old.inner;
      return;
    }
    node.inner = node.build();
    if (alike(/** @type {VNode} */ (old.inner), node.inner)) {
      patch(/** @type {VNode} */ (old.inner), node.inner, svg);
      node.el = node.inner.el;
    } else {
      const el = mount(node.inner, svg);
      old.el.replaceWith(el);
      node.el = el;
    }
    return;
  }
  if (node.tag === undefined) {
    if (old.text !== node.text) node.el.data = node.text;
    return;
  }
  const inSvg = svg || node.tag === "svg";
  patchChildren(node.el, old.children ?? [], node.children ?? [], inSvg);
  setProps(node.el, old.props ?? {}, node.props ?? {});
}

/** @param {unknown[]} a @param {unknown[]} b */
function sameDeps(a, b) {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}

/** @param {VNode} a @param {VNode} b */
function alike(a, b) {
  return a.tag === b.tag && a.key === b.key && Boolean(a.build) === Boolean(b.build);
}

/** @param {any} parent @param {VNode[]} olds @param {VNode[]} news @param {boolean} svg */
function patchChildren(parent, olds, news, svg) {
  /** @type {Map<string, VNode>} */
  const keyed = new Map();
  const loose = [];
  for (const old of olds) {
    if (old.key !== undefined) keyed.set(old.key, old);
    else loose.push(old);
  }
  const used = new Set();
  let from = 0;
  for (const node of news) {
    let old;
    if (node.key !== undefined) {
      const same = keyed.get(node.key);
      if (same && !used.has(same) && alike(same, node)) old = same;
    } else {
      const at = loose.findIndex((one, i) => i >= from && alike(one, node));
      if (at >= 0) {
        old = loose[at];
        from = at + 1;
      }
    }
    if (old) {
      used.add(old);
      patch(old, node, svg);
    }
  }
  for (const old of olds) if (!used.has(old)) old.el.remove();
  let cursor = parent.firstChild;
  for (const node of news) {
    if (node.el === undefined) parent.insertBefore(mount(node, svg), cursor);
    else if (node.el === cursor) cursor = cursor.nextSibling;
    else move(parent, node.el, cursor);
  }
}

/** Moving with state keeps focus and scrolling where the browser can do it. @param {any} parent @param {any} el @param {any} before */
function move(parent, el, before) {
  if (parent.moveBefore && parent.isConnected) parent.moveBefore(el, before);
  else parent.insertBefore(el, before);
}

/** @param {any} el @param {Record<string, any>} old @param {Record<string, any>} props */
function setProps(el, old, props) {
  for (const name in old) if (!(name in props)) setProp(el, name, old[name], undefined);
  for (const name in props) setProp(el, name, old[name], props[name]);
}

/** @param {any} el @param {string} name @param {any} was @param {any} value */
function setProp(el, name, was, value) {
  if (name === "key" || name === "ref" || (was === value && !PROPERTIES.has(name))) return;
  if (name === "vars") {
    for (const [property, to] of Object.entries(value ?? {})) el.style.setProperty(property, to);
  } else if (name.startsWith("on")) {
    // The browser takes an answer of false for a veto: a key that a handler looked at would write nothing.
    el[name] = value ? (/** @type {Event} */ event) => void value(event) : null;
  } else if (PROPERTIES.has(name)) {
    if (el[name] !== value) el[name] = value ?? "";
  } else if (value === undefined || value === null || value === false) el.removeAttribute(name);
  else el.setAttribute(name, value === true ? "" : String(value));
}
