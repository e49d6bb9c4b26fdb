// What the pages do when a script may run. Every page works without it.
document.addEventListener("submit", (event) => {
  // On a phone the filters are a sheet over the page: asking for the answer closes it.
  if (event.target.id === "search") document.querySelector("#filters:popover-open")?.hidePopover();
});
