// Everything works without these modules; they make it quicker.
import "./theme.js";
import "./copy.js";
import "./menus.js";
import "./shortcuts.js";
import "./rows.js";
import "./palette.js";
import "./toasts.js";
import "./preview.js";
import "./autosize.js";
import "./busy.js";
import "./filters.js";
import "./selection.js";
import "./draft.js";
