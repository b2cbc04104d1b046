// Screens, inbox: who holds a thread from now on: me, a colleague, a queue or the AI, with a word for them.

import { h } from "../core/dom.js";
import { capital, counted, firstName } from "../core/format.js";
import { icon } from "../core/icons.js";
import { avatar, button } from "../core/parts.js";
import { loadWords } from "./around.js";
import { chooser, fitting, nothingChosen } from "./chooser.js";
import { agentName, heldByMe, holderName, openThread } from "./state.js";

/** @typedef {import("./main.js").Desk} Desk */
/** @typedef {import("./chooser.js").Option & {act: string, reader: string}} Target `act` is what the button says, `reader` who reads a note */

const PRESENCE = { available: 0, away: 1, offline: 2 };

/** What is chosen and written in the window now. */
let now = { chosen: nothingChosen(), note: "", error: "" };

/** @param {Desk} desk */
export function beginAssigning(desk) {
  now = { chosen: nothingChosen(), note: "", error: "" };
  void desk.around.load("team");
  void desk.around.load("queues");
}

/** @param {Desk} desk */
export function assigning(desk) {
  const { state, verbs } = desk;
  const thread = openThread(state);
  if (!thread) return null;
  const targets = targetsOf(desk, thread);
  const target = /** @type {Target | undefined} */ (fitting(targets, now.chosen)[now.chosen.at]);
  const busy = state.busy.has("assign");
  const done = async (/** @type {{key: string} | undefined} */ target = fitting(targets, now.chosen)[now.chosen.at]) => {
    if (!target) return;
    now.error = "";
    const error = await verbs.assignTo(target.key, now.note);
    now.error = error;
    if (!error) desk.dialog(null);
    desk.changed();
  };
  return h(
    "form",
    {
      class: "chooser",
      key: "assigning",
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        void done();
      },
    },
    h("h2", { class: "sr" }, "Assign this thread"),
    chooser({
      id: "assign",
      label: "Assign to",
      placeholder: `Held by ${holderName(state, thread)}. Assign to…`,
      options: targets,
      chosen: now.chosen,
      changed: desk.changed,
      none: state.around.team.error?.message || "Nobody fits. Enter a name, a queue, me or AI.",
      take: (option) => void done(option),
      mark: () => document.getElementById("assign-note")?.focus(),
    }),
    h(
      "div",
      { class: "chooser-foot", key: "foot" },
      now.error && h("p", { class: "field-error", role: "alert" }, icon("info", true), now.error),
      h(
        "div",
        { class: "field" },
        h("label", { for: "assign-note" }, target?.reader ? `Note for ${target.reader}, optional` : "Note, optional"),
        h("textarea", {
          class: "input",
          id: "assign-note",
          rows: 2,
          value: now.note,
          placeholder: "What is settled, what is still open",
          oninput: (/** @type {any} */ event) => desk.type(now, "note", event.target.value),
          onkeydown: (/** @type {KeyboardEvent} */ event) => {
            if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
            event.preventDefault();
            void done();
          },
        }),
      ),
      h(
        "div",
        { class: "dialog-ways" },
        button(target?.act ?? "Assign", () => undefined, { look: "primary", type: "submit", disabled: busy || !target }),
        button("Cancel", () => desk.dialog(null), { look: "plain" }),
      ),
    ),
  );
}

/** @param {Desk} desk @param {import("../core/types.js").Thread} thread @returns {Target[]} whoever holds it now is not among them */
function targetsOf({ state }, thread) {
  const { me } = state;
  const { team, queues } = state.around;
  const held = thread.assignment;
  const agent = agentName(state, thread);
  /** @type {Target[]} */
  const targets = [];
  if (me && !heldByMe(thread, me)) {
    targets.push({
      key: `operator:${me.id}`,
      words: `me myself ${me.name}`,
      view: [avatar("operator", me.name, { size: "small", presence: me.presence }), h("span", { class: "grow" }, "Me")],
      about: loadOf(team.items.find((one) => one.id === me.id) ?? me),
      act: held.to === "queue" ? "Take it" : "Take over",
      reader: "",
    });
  }
  const colleagues = team.items
    .filter((one) => one.id !== me?.id && !(held.to === "operator" && held.id === one.id))
    .sort((a, b) => PRESENCE[a.presence] - PRESENCE[b.presence] || a.name.localeCompare(b.name));
  for (const one of colleagues) {
    targets.push({
      key: `operator:${one.id}`,
      words: `${one.name} ${one.email ?? ""} ${one.presence}`,
      view: [
        avatar("operator", one.name, { size: "small", presence: one.presence }),
        h("span", { class: "grow truncate" }, one.name),
      ],
      about: [one.presence, loadOf(one)].filter(Boolean).join(" · "),
      act: `Transfer to ${firstName(one.name)}`,
      reader: firstName(one.name),
    });
  }
  for (const queue of queues.items) {
    if (held.to === "queue" && held.id === queue.name) continue;
    targets.push({
      key: `queue:${queue.name}`,
      words: `queue ${queue.name}`,
      view: [avatar("queue", queue.name, { size: "small" }), h("span", { class: "grow truncate" }, `Queue ${queue.name}`)],
      about: queue.waiting ? `${counted(queue.waiting, "thread")} waiting` : "nothing waits",
      act: `Put into ${queue.name}`,
      reader: "whoever takes it",
    });
  }
  if (held.to !== "ai") {
    targets.push({
      key: "ai",
      words: `ai ${agent} hand back`,
      view: [avatar("agent", agent, { size: "small" }), h("span", { class: "grow truncate" }, capital(agent))],
      about: "answers from now on",
      act: "Hand back to the AI",
      reader: "the AI",
    });
  }
  return targets;
}

/** @param {{load?: number, capacity?: number}} one */
function loadOf({ load, capacity }) {
  return typeof load === "number" ? `holds ${loadWords({ load, capacity })}${load >= (capacity ?? 0) ? ", full" : ""}` : "";
}
