// Screens, settings: puts the focus where the work goes on, once that is drawn.

/** @param {() => void} flush */
export function createFocus(flush) {
  /** @type {string | null} */
  let wanted = null;
  /** @param {string} id of an element; "problem" is the first field that something is wrong with */
  const focus = (id) => {
    wanted = id;
  };
  focus.settle = () => {
    if (!wanted) return;
    const found =
      wanted === "problem"
        ? document.querySelector(".editor [aria-invalid='true'], .editor [data-invalid='true'], #editor-error")
        : document.getElementById(wanted);
    if (!found) return;
    wanted = null;
    /** @type {HTMLElement} */ (found).focus();
    found.scrollIntoView({ block: "nearest" });
  };
  focus.flush = flush;
  return focus;
}
