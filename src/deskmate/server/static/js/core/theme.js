// Screens, core: light, dark, or as the system has it. Loaded first, so that the page does not flash.

import { remembered } from "./store.js";

const memory = remembered("deskmate.theme");

/** @returns {"light" | "dark" | null} null: as the system has it */
export function theme() {
  const value = memory.get();
  return value === "light" || value === "dark" ? value : null;
}

/** @returns {boolean} */
export function isDark() {
  return (theme() ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
}

/** @param {"light" | "dark" | null} value */
export function setTheme(value) {
  memory.set(value);
  applyTheme();
}

export function applyTheme() {
  const value = theme();
  if (value) document.documentElement.dataset.theme = value;
  else delete document.documentElement.dataset.theme;
}

applyTheme();
