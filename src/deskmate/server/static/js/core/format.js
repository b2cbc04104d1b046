// Screens, core: how times, names and values are written.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const LOCALE = "en-GB";
const clockFormat = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat(LOCALE, { weekday: "long", day: "numeric", month: "long" });
const dateFormat = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short" });
const weekdayFormat = new Intl.DateTimeFormat(LOCALE, { weekday: "short" });
const fullFormat = new Intl.DateTimeFormat(LOCALE, { dateStyle: "full", timeStyle: "short" });

/** A time of the API, text or number, as milliseconds. @param {any} time @returns {number} NaN when there is none */
export function ms(time) {
  if (typeof time === "number") return time;
  return time ? Date.parse(time) : Number.NaN;
}

/** "09:41" @param {any} time */
export function clock(time) {
  const at = ms(time);
  return Number.isNaN(at) ? "" : clockFormat.format(at);
}

/** For a tooltip: "Friday 20 November 2026 at 09:41" @param {any} time */
export function full(time) {
  const at = ms(time);
  return Number.isNaN(at) ? "" : fullFormat.format(at);
}

/** For the `datetime` attribute. @param {any} time */
export function iso(time) {
  const at = ms(time);
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}

/** How long ago, short: "now", "6 min", "3 h", "2 d", "14 Mar" @param {any} time @param {number} now */
export function ago(time, now) {
  const past = now - ms(time);
  if (Number.isNaN(past)) return "";
  if (past < MINUTE) return "now";
  if (past < HOUR) return `${Math.floor(past / MINUTE)} min`;
  if (past < DAY) return `${Math.floor(past / HOUR)} h`;
  if (past < 7 * DAY) return `${Math.floor(past / DAY)} d`;
  return dateFormat.format(ms(time));
}

/** A length of time: "14:20", "1 h 48", "2 d 3 h" @param {number} length */
export function duration(length) {
  const left = Math.max(0, length);
  if (left < HOUR) {
    const seconds = Math.floor(left / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }
  if (left < DAY) return `${Math.floor(left / HOUR)} h ${String(Math.floor((left % HOUR) / MINUTE)).padStart(2, "0")}`;
  return `${Math.floor(left / DAY)} d ${Math.floor((left % DAY) / HOUR)} h`;
}

/** The same without seconds, for rows: "14 min", "1 h 48" @param {number} length */
export function roughly(length) {
  return length < HOUR ? `${Math.max(1, Math.ceil(length / MINUTE))} min` : duration(length);
}

/** When something ends, as short as it is clear: "14:00", "Mon 09:00", "14 Mar 09:00" @param {any} time @param {number} now */
export function until(time, now) {
  const at = ms(time);
  if (Number.isNaN(at)) return "";
  if (sameDay(at, now)) return clock(at);
  return `${at - now < 6 * DAY && at > now ? weekdayFormat.format(at) : dateFormat.format(at)} ${clock(at)}`;
}

/** "Today, Friday 20 November" @param {any} time @param {number} now */
export function dayLabel(time, now) {
  const day = dayFormat.format(ms(time));
  if (sameDay(time, now)) return `Today, ${day}`;
  if (sameDay(time, now - DAY)) return `Yesterday, ${day}`;
  return day;
}

/** @param {any} a @param {any} b */
export function sameDay(a, b) {
  return new Date(ms(a)).toDateString() === new Date(ms(b)).toDateString();
}

/** Two letters for an avatar. @param {string | null | undefined} name */
export function initials(name) {
  const words = (name ?? "").trim().split(/\s+/).filter(Boolean);
  if (!words.length) return "?";
  const first = [...words[0]];
  return words.length === 1 ? first.slice(0, 2).join("") : first[0] + [...words[words.length - 1]][0];
}

/** "Ana" for "Ana Duarte". @param {string | null | undefined} name */
export function firstName(name) {
  return (name ?? "").trim().split(/\s+/)[0] || "";
}

/** One line of text, cut at a word. @param {string} text @param {number} limit */
export function shorten(text, limit) {
  const line = text.replace(/\s+/g, " ").trim();
  if (line.length <= limit) return line;
  const cut = line.slice(0, limit);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(" "), limit - 20))}…`;
}

/** A value as people read it: text as it is, the rest as JSON. @param {unknown} value */
export function valueText(value) {
  return typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
}

/** "3 messages", "1 message" @param {number} count @param {string} one @param {string} [many] */
export function counted(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}

/** First letter in upper case. @param {string} text */
export function capital(text) {
  return text ? text[0].toUpperCase() + text.slice(1) : text;
}
