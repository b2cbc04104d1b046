// Screens, inbox: keeps the reader's place: at the end while they read the end, where they are while they read further up.

const END = 48;

/** @param {{onAway: () => void, onTop: () => void}} options */
export function createScroller({ onAway, onTop }) {
  /** @type {HTMLElement | null} */
  let place = null;
  let stuck = true;
  /** @type {{el: Element, top: number} | null} */
  let anchor = null;
  let id = "";

  const find = () => /** @type {HTMLElement | null} */ (document.getElementById("timeline"));
  /** @param {HTMLElement} el */
  const atEnd = (el) => el.scrollHeight - el.scrollTop - el.clientHeight < END;
  const resized = new ResizeObserver(() => {
    if (stuck && place) place.scrollTop = place.scrollHeight;
  });

  const scroller = {
    away: false,
    /** Before drawing: remember what the reader looks at. */
    before() {
      anchor = null;
      if (!place || stuck) return;
      const top = place.getBoundingClientRect().top;
      const inner = place.firstElementChild;
      for (const el of inner?.children ?? []) {
        const box = el.getBoundingClientRect();
        if (box.bottom > top && !el.classList.contains("older")) {
          anchor = { el, top: box.top };
          return;
        }
      }
    },
    /** After drawing: put it back there. @param {string | null} thread */
    after(thread) {
      const found = find();
      if (found !== place || thread !== id) {
        resized.disconnect();
        place = found;
        id = thread ?? "";
        stuck = true;
        scroller.away = false;
        if (place) {
          resized.observe(place);
          if (place.firstElementChild) resized.observe(place.firstElementChild);
        }
      }
      if (!place) return;
      if (stuck) place.scrollTop = place.scrollHeight;
      else if (anchor?.el.isConnected) place.scrollTop += anchor.el.getBoundingClientRect().top - anchor.top;
    },
    scrolled() {
      if (!place) return;
      stuck = atEnd(place);
      const away = place.scrollHeight - place.scrollTop - place.clientHeight > 240;
      if (away !== scroller.away || (stuck && !away)) {
        const changed = away !== scroller.away;
        scroller.away = away;
        if (changed) onAway();
      }
      if (place.scrollTop < 200) onTop();
    },
    toEnd() {
      stuck = true;
      scroller.away = false;
      if (place) place.scrollTop = place.scrollHeight;
    },
    /** A jump by hand to one place is no reading of the end. */
    release() {
      stuck = false;
    },
  };
  return scroller;
}
