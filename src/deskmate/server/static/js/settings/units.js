// Screens, settings: lengths of time and amounts of money as people write them, and as the server has them: whole seconds, whole cents.

const UNITS = /** @type {[number, string][]} */ ([
  [86_400, "days"],
  [3_600, "hours"],
  [60, "minutes"],
  [1, "seconds"],
]);
export const UNIT_NAMES = UNITS.map(([seconds, name]) => ({ seconds, name })).reverse();

/** The largest unit in which a length is a whole number. @param {number} seconds */
export function unitOf(seconds) {
  return UNITS.find(([unit]) => seconds && seconds % unit === 0)?.[0] ?? (seconds ? 1 : 60);
}

/** "1 day 4 hours" @param {number} seconds */
export function spelled(seconds) {
  if (!Number.isFinite(seconds)) return "";
  let left = Math.round(seconds);
  const parts = [];
  for (const [unit, name] of UNITS) {
    const count = Math.floor(left / unit);
    if (count) parts.push(`${count} ${count === 1 ? name.slice(0, -1) : name}`);
    left -= count * unit;
  }
  return parts.slice(0, 2).join(" ") || "0 seconds";
}

/** How many digits a currency has behind the point. @param {string} currency */
export function digitsOf(currency) {
  try {
    return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}

/** "25.00" for 2500 @param {number} minor @param {string} currency */
export function majorOf(minor, currency) {
  const digits = digitsOf(currency);
  return (minor / 10 ** digits).toFixed(digits);
}

/** 2500 for "25" or "25.00"; NaN for what is no amount. @param {string} text @param {string} currency */
export function minorOf(text, currency) {
  const digits = digitsOf(currency);
  const match = /^(-?\d+)(?:[.,](\d+))?$/.exec(text.trim());
  const behind = match?.[2] ?? "";
  if (!match || behind.length > digits) return Number.NaN;
  return Number(match[1] + behind.padEnd(digits, "0"));
}
