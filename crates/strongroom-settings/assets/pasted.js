// The value as it was pasted: a text area turns every line end into LF.

import { byId } from "./dom.js";

const field = byId("new-value");
const note = byId("value-note");

/** The text of the last paste that filled the whole field. */
let pasted = "";

/** What the field holds: as it was pasted, unless it was edited since. */
export const pastedInto = ({ value }) => (withLineFeeds(pasted) === value ? pasted : value);

/** Forgets what was pasted. */
export function forgetPasted() {
  pasted = "";
  tell();
}

const withLineFeeds = (text) => text.replace(/\r\n?/g, "\n");

/** Says which line ends are stored, where that is a question. */
function tell() {
  const isKept = pasted.includes("\r") && withLineFeeds(pasted) === field.value;
  note.hidden = !isKept;
  note.textContent = isKept ? "Its line ends are stored as they were pasted (CR LF). Once you edit it, they are LF." : "";
}

field.addEventListener("paste", ({ clipboardData }) => {
  const isWhole = field.selectionStart === 0 && field.selectionEnd === field.value.length;
  pasted = isWhole ? (clipboardData?.getData("text/plain") ?? "") : "";
});
field.addEventListener("input", tell);
