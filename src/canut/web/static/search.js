// The key "/" leads to the search: to the one of this page, where it has one, else to that of all.

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  event.preventDefault();
  const field = document.querySelector("main input[type=search]");
  if (field) field.select();
  else location.assign("/search");
});
