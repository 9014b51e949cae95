// Files that are too large are refused where they are chosen: no page comes as an answer to a body beyond the gateway's bound.

const BOUNDED = "input[type=file][data-largest]";

document.addEventListener("change", ({ target }) => {
  if (!target.matches?.(BOUNDED)) return;
  const largest = Number(target.dataset.largest);
  const isTooLarge = [...target.files].some(({ size }) => size > largest);
  target.setCustomValidity(isTooLarge ? `The file is larger than ${largest >> 20} MB.` : "");
  target.reportValidity();
});

// Forms of admin are `novalidate`: their fields are judged by the gateway.
document.addEventListener("submit", (event) => {
  const refused = [...event.target.querySelectorAll(BOUNDED)].filter((field) => !field.reportValidity());
  if (refused.length) event.preventDefault();
});
