// What the pages do when a script may run. Every page works without it.
document.addEventListener("htmx:afterSwap", (event) => {
  // A sheet of filters that was open hides the answer: close it.
  const open = document.querySelector("[popover]:popover-open");
  if (open && event.detail.target.id === "results" && !open.contains(document.activeElement)) open.hidePopover();
});
