// What the pages do when a script may run. Every page works without it.
document.addEventListener("submit", ({ target }) => {
  // On a phone the filters are a sheet over the page: asking for the answer closes it.
  const sheet = document.querySelector("#filters:popover-open");
  if (target.id === "search" && sheet) {
    sheet.hidePopover();
    document.querySelector("#tally")?.focus();
  }
  // The language is changed where one is by now.
  if (target.matches(".lang")) target.elements.next.value = location.pathname + location.search;
});
// Who signs in comes back to where they are.
document.addEventListener("click", ({ target }) => {
  const link = target.closest?.('a[href="/login"], a[href^="/login?"]');
  if (link) link.search = new URLSearchParams({ next: location.pathname + location.search });
});

// A town that is chosen from the list is searched at once, and so is everywhere: browsers differ in
// when they tell of a change.
document.addEventListener("input", ({ target }) => {
  if (target.id !== "near") return;
  const isTown = [...target.list.options].some((option) => option.value === target.value);
  if (isTown || !target.value) target.dispatchEvent(new Event("change", { bubbles: true }));
});

// While one types, the address changes within one entry of the history: Back leads to the search
// before, not to the letter before. A search that stood for a while is one to come back to.
const STOOD_MS = 2000;
const isTyped = (request) => request.triggeringEvent?.type === "input";
let typedAt = -Infinity;
document.addEventListener("htmx:configRequest", (event) => {
  if (restoring) event.preventDefault();
  if (isTyped(event.detail)) event.detail.headers["X-Unfinished"] = "true";
});
document.addEventListener("htmx:beforeHistoryUpdate", ({ detail: { history, requestConfig } }) => {
  const isNext = isTyped(requestConfig) && performance.now() - typedAt < STOOD_MS;
  const isSame = history.path === location.pathname + location.search;
  if (isNext || isSame) history.type = "replace";
  typedAt = isTyped(requestConfig) ? performance.now() : -Infinity;
});

// Back and forward fetch the page again, with its form. An answer to what was asked before must not
// come in between, nor that of an entry that was already left.
let restoring = null;
addEventListener("popstate", () => {
  typedAt = -Infinity;
  const form = document.querySelector("#search");
  if (form) htmx.trigger(form, "htmx:abort");
});
document.addEventListener("htmx:historyCacheMiss", ({ detail: { xhr } }) => {
  restoring?.abort();
  restoring = xhr;
  xhr.addEventListener("loadend", () => (restoring = null));
  xhr.addEventListener("error", () => location.reload());
});
document.addEventListener("htmx:historyCacheMissLoadError", () => location.reload());

// What one types in is not replaced under the hands; what one unfolded stays open.
document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  const { target, fragment } = detail;
  const focused = document.activeElement;
  if (target.contains(focused) && focused.type === "search") detail.shouldSwap = false;
  for (const { id } of target.querySelectorAll("details[open]")) {
    const same = fragment.querySelector(`#${id}`);
    if (same) same.open = true;
  }
});
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  // The link that was followed is gone: go on from the figure of what was found.
  if (detail.boosted && document.activeElement === document.body) {
    document.querySelector("#tally")?.focus({ preventScroll: true });
  }
  const near = document.querySelector("#near");
  if (near) near.ariaInvalid = String(document.querySelector("#near-error").hasChildNodes());
});

// A part of one's profile is read again once it is saved or left alone: go on from its link.
document.addEventListener("htmx:load", ({ target }) => {
  if (!target.matches?.(".sheet > div:not(.editing)")) return;
  if (document.activeElement === document.body) target.querySelector(".set a")?.focus();
});

const unreached = (isSo) => document.querySelector("#unreached")?.toggleAttribute("hidden", !isSo);
document.addEventListener("htmx:sendError", () => unreached(true));
document.addEventListener("htmx:beforeOnLoad", () => unreached(false));

// What is shown once is copied in one click; without a script it is selected by hand.
for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  await navigator.clipboard.writeText(field.value);
  document.querySelector("[data-copied]").hidden = false;
});
