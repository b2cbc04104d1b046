// Screens: the chosen theme, before anything is painted. A classic script, for modules come too late for that.
(() => {
  try {
    const value = JSON.parse(localStorage.getItem("deskmate.theme") ?? "null");
    if (value === "light" || value === "dark") document.documentElement.dataset.theme = value;
  } catch {
    // The system decides.
  }
})();
