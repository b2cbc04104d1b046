// Screens, inbox: moves the focus to what a verb leads to, once it has been drawn.

/** @param {() => import("./state.js").State} stateOf */
export function createFocus(stateOf) {
  let wanted = "";
  let tries = 0;

  /** @param {string} what composer, search, list, subject, context, `row:ID`, `card:ID` or `answer:ID` */
  function focus(what) {
    wanted = what;
    tries = 0;
    requestAnimationFrame(() => requestAnimationFrame(settle));
  }

  function settle() {
    if (!wanted) return;
    const el = find(wanted, stateOf());
    tries += 1;
    if (el) {
      const card = wanted.startsWith("card:");
      el.focus({ preventScroll: card });
      if (card) el.closest(".request")?.scrollIntoView({ block: "nearest" });
      if (el instanceof HTMLTextAreaElement) el.setSelectionRange(el.value.length, el.value.length);
    }
    if (el || tries > 8) wanted = "";
  }

  focus.settle = settle;
  return focus;
}

/** @param {string} what @param {import("./state.js").State} state @returns {HTMLElement | null} */
function find(what, state) {
  const [kind, id = ""] = what.split(/:(.*)/);
  const byId = (/** @type {string} */ name) => document.getElementById(name);
  switch (kind) {
    case "composer":
      return byId("compose");
    case "row":
      return byId(`row-${id}`);
    case "answer":
      return byId(`answer-${id}`) ?? byId(`reason-${id}`);
    case "card": {
      const card = byId(`request-${id}`);
      return (
        card?.querySelector("textarea, select, input, .request-footer .button--primary:not([disabled])") ?? byId(`ask-${id}`)
      );
    }
    case "list":
      return byId(`row-${state.view.thread}`) ?? document.querySelector(".list-rows .thread-row");
    default:
      return byId(kind);
  }
}
