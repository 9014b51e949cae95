// Names for fields that the widgets of admin leave without one, so that a screen reader can say what they are.

function labelOf(field) {
  const label = field.id && document.querySelector(`label[for="${CSS.escape(field.id)}"]`);
  return label || null;
}

// Lists that are searched while one types (select2): the box stands where the select was, without its label.
function nameChoices() {
  for (const select of document.querySelectorAll("select.select2-hidden-accessible")) {
    const label = labelOf(select);
    const box = select.nextElementSibling?.querySelector(".select2-selection");
    if (!label || !box) continue;
    label.id ||= `${select.id}_label`;
    const shown = box.querySelector(".select2-selection__rendered");
    shown?.removeAttribute("role");
    shown?.removeAttribute("aria-readonly");
    box.setAttribute("aria-labelledby", shown?.id ? `${label.id} ${shown.id}` : label.id);
    box.querySelector(".select2-search__field")?.setAttribute("aria-label", label.textContent.trim());
  }
}

// Tables of fields: what names a field is the head of its column.
function nameCells() {
  for (const field of document.querySelectorAll("table :is(input, select, textarea):not([type=hidden])")) {
    const cell = field.closest("td");
    if (!cell || field.labels?.length || field.hasAttribute("aria-label")) continue;
    const heads = field.closest("table").querySelectorAll("thead th");
    const name = heads[cell.cellIndex]?.textContent.trim();
    if (name) field.setAttribute("aria-label", name);
  }
}

// Pairs of lists: an icon that explains is an image, as far as anybody who hears it is concerned.
function nameIcons() {
  for (const icon of document.querySelectorAll("span.help-tooltip[aria-label]")) icon.setAttribute("role", "img");
}

function nameAll() {
  nameChoices();
  nameCells();
  nameIcons();
}

window.addEventListener("load", () => setTimeout(nameAll)); // after the widgets have made themselves
document.addEventListener("formset:added", () => setTimeout(nameAll));
